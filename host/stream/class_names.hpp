// Names of classes, from a text file with one name per line.
#pragma once

#include <string>
#include <vector>

namespace warpfit {

/// A file of this name next to the labels contains the names of the data set's classes.
inline constexpr const char* kClassNamesFile = "classes.txt";

/// Reads the names of classes 0, 1, ..., one per line, in UTF-8, at most 200 bytes each, without control
/// characters. A byte-order mark, carriage returns at the ends of lines and empty lines at the end are
/// ignored. Errors: IoError; DataError naming the line.
std::vector<std::string> read_class_names(const std::string& path);

/// classes.txt in the folder of this file, or "" if there is none.
std::string class_names_next_to(const std::string& labels_path);

}  // namespace warpfit
