// Headers that violate the format: each is rejected with a message that names the reason, the file and the
// byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/base/error.hpp"
#include "host/files/safetensors_file.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::ThrowsMessage;

struct BadFile {
  std::string name;
  Bytes bytes;
  std::string message;
};

// A header length, followed by bytes that need not match it.
Bytes with_length(std::uint64_t length, const Bytes& rest) {
  Bytes bytes;
  for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<std::uint8_t>(length >> shift));
  return bytes + rest;
}

// One tensor `a` with 8 bytes of data.
Bytes tensor(const std::string& fields) { return safetensors("{\"a\":" + fields + "}", Bytes(8)); }
Bytes dtype(const std::string& json) {
  return tensor(R"({"dtype":)" + json + R"(,"shape":[2],"data_offsets":[0,8]})");
}
Bytes shape(const std::string& json) {
  return tensor(R"({"dtype":"F32","shape":)" + json + R"(,"data_offsets":[0,8]})");
}
Bytes offsets(const std::string& json) {
  return tensor(R"({"dtype":"F32","shape":[2],"data_offsets":)" + json + "}");
}
// Tensors `a` and `b` of 4 bytes each, with 8 bytes of data.
Bytes two(const std::string& first, const std::string& second, std::size_t data = 8) {
  const std::string start = R"({"dtype":"F32","shape":[1],"data_offsets":)";
  return safetensors("{\"a\":" + start + first + "},\"b\":" + start + second + "}}", Bytes(data));
}
Bytes metadata(const std::string& json) { return safetensors("{\"__metadata__\":" + json + "}"); }
Bytes checksum(const std::string& json) { return metadata("{\"warpfit.crc32\":" + json + "}"); }

const std::string kFields = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
const std::string kTensor = "{" + kFields + "}";

std::vector<BadFile> bad_files() {
  const Bytes good = tensor(kTensor);
  const std::string nul(1, '\0');
  const std::string deep = std::string(100'000, '[');
  return {
      {"empty", {}, "has 0 bytes, but a safetensors file has at least 10"},
      {"seven_bytes", Bytes(7), "has 7 bytes"},
      {"no_header", Bytes(8), "expected '{' at byte 8"},
      {"length_beyond_file", with_length(3, {'{', '}'}), "a header of 3 bytes at byte 0, expected at most 2"},
      {"length_huge", with_length(UINT64_MAX, Bytes(100)), "a header of 18446744073709551615 bytes"},
      {"length_negative", with_length(1ULL << 63, Bytes(100)), "a header of 9223372036854775808 bytes"},
      {"length_wraps", with_length(UINT64_MAX - 7, Bytes(100)), "a header of 18446744073709551608 bytes"},
      {"length_above_100_mb", with_length(100'000'001, Bytes(100'000'001, ' ')),
       "expected at most 100000000"},
      {"length_big_endian", Bytes{0, 0, 0, 0, 0, 0, 0, 2, '{', '}'}, "expected at most 2"},
      {"a_pickle", Bytes{0x80, 2, 0x8A, 10, 'l', 0xFC, 0x9C, 'F', 0xF9, ' '}, "is a checkpoint of PyTorch"},
      {"a_zip", Bytes{'P', 'K', 3, 4} + Bytes(100), "is a zip archive"},
      {"gzip", gzip(good), "is gzip data"},
      {"idx", idx({2, 2, 2}, Bytes(8)), "is an IDX file (images or labels), expected a safetensors file"},
      {"idx_of_labels", idx({20}, Bytes(20)), "is an IDX file (images or labels)"},
      {"text", Bytes(100, 'a'), "expected a safetensors file; name the file that has the weights"},
      {"not_json", safetensors("{hello}"), "expected JSON, found at byte 9"},
      {"json_cut", safetensors(R"({"a":)"), "byte 13: unexpected end of input"},
      {"leading_blank", safetensors(" {}"), "expected '{' at byte 8"},
      {"byte_order_mark", safetensors("\xEF\xBB\xBF{}"), "expected '{' at byte 8"},
      {"array", safetensors("[]"), "expected '{' at byte 8"},
      {"second_value", safetensors("{}{}"), "byte 10"},
      {"nul_padding", safetensors("{}" + nul + nul), "byte 10: a NUL byte"},
      {"nul_in_name", safetensors(R"({"a\u0000":)" + kTensor + "}", Bytes(8)),
       "byte 9: a string with a NUL character"},
      {"bad_utf8", safetensors("{\"\xFF\":" + kTensor + "}", Bytes(8)), "ill-formed UTF-8"},
      {"comment", safetensors("{/* */}"), "found at byte 9"},
      {"deep", safetensors("{\"a\":" + deep), "more than 64 levels"},
      {"leading_zeros", tensor("[" + std::string(2'000'000, '0') + "]"), "found at byte 15"},
      {"duplicate_tensor", safetensors("{\"a\":" + kTensor + ",\"a\":" + kTensor + "}", Bytes(8)),
       "the duplicate key 'a'"},
      {"duplicate_escaped", safetensors("{\"a\":" + kTensor + ",\"\\u0061\":" + kTensor + "}", Bytes(8)),
       "the duplicate key 'a'"},
      {"duplicate_metadata", safetensors(R"({"__metadata__":{},"__metadata__":{}})"),
       "the duplicate key '__metadata__'"},
      {"duplicate_metadata_key", metadata(R"({"k":"v","k":"v"})"), "the duplicate key 'k'"},
      {"duplicate_field", tensor("{" + kFields + ",\"dtype\":\"F32\"}"), "the duplicate key 'dtype'"},
      {"metadata_null", metadata("null"), "expected an object of strings for __metadata__ at byte 24"},
      {"metadata_array", metadata("[]"), "expected an object of strings for __metadata__"},
      {"metadata_number", metadata(R"({"k":1})"), "expected a string for 'k' in __metadata__ at byte 29"},
      {"metadata_nested", metadata(R"({"k":{"k":"v"}})"), "expected a string for 'k'"},
      {"metadata_bool", metadata(R"({"k":true})"), "expected a string for 'k'"},
      {"tensor_null", tensor("null"), "expected an object for tensor 'a' at byte 13"},
      {"tensor_array", tensor("[]"), "expected an object for tensor 'a'"},
      {"tensor_empty", tensor("{}"), "no dtype in tensor 'a' at byte 13"},
      {"no_shape", tensor(R"({"dtype":"F32","data_offsets":[0,8]})"), "no shape in tensor 'a'"},
      {"no_offsets", tensor(R"({"dtype":"F32","shape":[2]})"), "no data_offsets in tensor 'a'"},
      {"unknown_field", tensor("{" + kFields + ",\"strides\":[1]}"), "unknown field 'strides' in tensor 'a'"},
      {"dtype_unknown", dtype("\"F31\""), "unknown dtype 'F31' of tensor 'a' at byte 22"},
      {"dtype_lower_case", dtype("\"f32\""), "unknown dtype 'f32'"},
      {"dtype_empty", dtype("\"\""), "unknown dtype ''"},
      {"dtype_of_control_codes", dtype(R"("\u001b[2J")"), "unknown dtype '?[2J' of tensor 'a'"},
      {"dtype_number", dtype("32"), "expected a string for the dtype of tensor 'a'"},
      {"shape_number", shape("2"), "expected an array for the shape of tensor 'a' at byte 36"},
      {"shape_object", shape("{}"), "expected an array for the shape"},
      {"shape_text", shape(R"(["2"])"), "expected an integer for a dimension of tensor 'a' at byte 37"},
      {"shape_float", shape("[2.0]"), "expected an integer for a dimension"},
      {"shape_exponent", shape("[2e0]"), "expected an integer for a dimension"},
      {"shape_null", shape("[null]"), "expected an integer for a dimension"},
      {"shape_nested", shape("[[2]]"), "expected an integer for a dimension"},
      {"shape_negative", shape("[-2]"), "dimension -2 of tensor 'a', expected 0 or more, at byte 37"},
      {"shape_two_negatives", shape("[-1,-2]"), "dimension -1"},
      {"shape_minus_0", shape("[-0]"), "expected an integer for a dimension"},
      {"shape_above_64_bits", shape("[18446744073709551618]"), "an integer that does not fit 64 bits"},
      {"shape_above_63_bits", shape("[9223372036854775808]"), "an integer that does not fit 64 bits"},
      {"shape_overflows", shape("[4294967296,4294967296]"),
       "has more elements than any file can hold at byte 36"},
      {"shape_overflows_to_8_bytes", shape("[4611686018427387904,2,2,2]"),
       "has more elements than any file can hold"},
      {"shape_size_overflows", shape("[4611686018427387905]"), "has more elements than any file can hold"},
      {"shape_overflows_with_0", shape("[0,4294967296,4294967296]"),
       "has more elements than any file can hold"},
      {"shape_too_small", shape("[1]"), "hold 8 bytes, expected 4 for 1 elements of F32, at byte 55"},
      {"shape_too_large", shape("[3]"), "hold 8 bytes, expected 12 for 3 elements"},
      {"shape_of_zeros", shape("[0]"), "hold 8 bytes, expected 0"},
      {"shape_scalar", shape("[]"), "hold 8 bytes, expected 4"},
      {"offsets_number", offsets("8"),
       "expected an array of two for the data_offsets of tensor 'a' at byte 55"},
      {"offsets_none", offsets("[]"), "0 data_offsets of tensor 'a', expected two,"},
      {"offsets_one", offsets("[8]"), "1 data_offsets of tensor 'a', expected two,"},
      {"offsets_three", offsets("[0,8,8]"), "3 data_offsets of tensor 'a', expected two,"},
      {"offsets_float", offsets("[0.0,8]"),
       "expected an integer for the first of data_offsets of tensor 'a'"},
      {"offsets_text", offsets(R"([0,"8"])"),
       "expected an integer for the second of data_offsets of tensor 'a'"},
      {"offsets_negative", offsets("[-8,0]"), "data_offsets -8 to 0 of tensor 'a'"},
      {"offsets_falling", offsets("[8,0]"), "data_offsets 8 to 0 of tensor 'a', expected ascending offsets"},
      {"offsets_beyond_data", offsets("[0,9]"), "within the 8 bytes of data, at byte 55"},
      {"offsets_far_beyond", offsets("[9223372036854775799,9223372036854775807]"), "within the 8 bytes"},
      {"offsets_wrap", offsets("[18446744073709551608,0]"), "an integer that does not fit 64 bits"},
      {"gap_first", two("[4,8]", "[8,12]", 12), "tensor 'a' begins at byte"},
      {"gap_between", two("[0,4]", "[8,12]", 12), "there is a gap"},
      {"overlap", two("[0,4]", "[2,6]", 6), "they overlap"},
      {"same_offsets", two("[0,4]", "[0,4]"), "they overlap"},
      {"data_after", good + Bytes{0},
       "1 bytes of data belong to no tensor; expected the end of the file at byte"},
      {"data_without_tensors", safetensors("{}", Bytes(3)), "3 bytes of data belong to no tensor"},
      {"data_cut", Bytes(good.begin(), good.end() - 1), "within the 7 bytes of data"},
      {"checksum_wrong", checksum("\"12345678\""), "expected the 12345678 at byte 42: it is damaged"},
      {"checksum_short", checksum("\"1234567\""),
       "expected eight lower-case hex digits for warpfit.crc32 at byte 41"},
      {"checksum_long", checksum("\"123456789\""), "expected eight lower-case hex digits"},
      {"checksum_empty", checksum("\"\""), "expected eight lower-case hex digits"},
      {"checksum_upper_case", checksum("\"1234567A\""), "expected eight lower-case hex digits"},
      {"checksum_blank", checksum("\" 1234567\""), "expected eight lower-case hex digits"},
      {"checksum_escaped", checksum(R"("1234567\u0038")"), "expected eight lower-case hex digits"},
      {"checksum_number", checksum("12345678"), "expected a string for 'warpfit.crc32'"},
      {"checksum_misspelled", metadata(R"({"warpfit.crc33":"12345678"})"),
       "no warpfit.crc32 in its metadata"},
      {"checksum_of_another", metadata(R"({"warpfix.crc32":"12345678"})"),
       "no warpfit.crc32 in its metadata"},
  };
}

TEST(MalformedSafetensors, IsAcceptedWhereNothingIsWrong) {
  const TemporaryFolder folder;
  for (const auto& bytes :
       {tensor(kTensor), dtype("\"F32\""), shape("[2,1]"), shape("[1,2]"), offsets("[0, 8]"),
        two("[0,4]", "[4,8]"), two("[4,8]", "[0,4]"), metadata("{}"), metadata(R"({"k":"v"})")}) {
    EXPECT_NO_THROW(SafetensorsFile{folder.add("model", bytes)});
  }
}

TEST(MalformedSafetensors, EachIsRefusedWithItsReason) {
  const TemporaryFolder folder;
  const auto cases = bad_files();
  EXPECT_GE(cases.size(), 93U);
  for (const auto& bad : cases) {
    SCOPED_TRACE(bad.name);
    const auto path = folder.add("model", bad.bytes);
    EXPECT_THAT([&] { SafetensorsFile{path}; },
                ThrowsMessage<ModelError>(
                    AllOf(HasSubstr(path + ": "), HasSubstr(bad.message),
                          ContainsRegex("byte [0-9]+|has [0-9] bytes|, expected a safetensors file; "))));
  }
}

}  // namespace
}  // namespace warpfit::test
