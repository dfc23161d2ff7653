// Finds the four files of a data set in a folder, by the names under which data sets are published.
#pragma once

#include <string>

namespace warpfit {

/// The four files of a data set.
struct DatasetPaths {
  std::string train_images, train_labels, test_images, test_labels;
};

/// Fills the paths that are empty with files found in `folder`, in its `raw`, or in `*/raw` as torchvision
/// stores data sets, in this order. Names are those of dataset_names.hpp; a folder of a file's name may be
/// around the file. `folder` may also be a folder and the prefix of one of its data sets, with or without a
/// slash at its end. Names without a prefix come first; of several files for one purpose the plain one with
/// the usual name does, and a link that leads nowhere comes last. Errors: IoError naming what was looked for,
/// and the data sets whose names begin with `folder` if it does not exist; UsageError if several data sets
/// match equally well, with a list of them, or if a path and `folder` are empty.
DatasetPaths find_dataset(const std::string& folder, DatasetPaths given);
/// Likewise for the files of the training set only.
DatasetPaths find_training_set(const std::string& folder, DatasetPaths given);
/// Likewise for the files of the test set only.
DatasetPaths find_test_set(const std::string& folder, DatasetPaths given);

/// The files as text: "DIR: NAME, NAME, NAME, NAME", or full paths if they are in several folders.
std::string describe_files(const DatasetPaths& paths);

}  // namespace warpfit
