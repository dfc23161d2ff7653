// The output of `warpfit inspect`. Checksums are Python's zlib.crc32 of the bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <sstream>

#include "host/files/onnx.hpp"
#include "host/files/protobuf_writer.hpp"
#include "host/files/safetensors_writer.hpp"
#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace warpfit::test {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

class InspectTest : public testing::Test {
 protected:
  static std::string inspect(const std::string& path, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"inspect", path});
    return output_of(more);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  TemporaryFolder folder_;
};

TEST_F(InspectTest, TellsTensorsApart) {
  const std::array<float, 6> w{1, -2, 0.5F, kNan, kInfinity, -kInfinity};
  const std::array<double, 2> large{1e308, 1.5e308};
  const std::array<std::uint8_t, 3> numbers{7, 8, 9};
  const std::array<std::uint16_t, 2> halves{};
  write_safetensors(
      path("model"), {{"warpfit.kind", "model"}, {"made\tby", "a hand\nof two lines"}},
      std::vector<TensorView>{{"w", DType::kF32, {2, 3}, std::as_bytes(std::span(w))},
                              {"large", DType::kF64, {2}, std::as_bytes(std::span(large))},
                              {"lost", DType::kF32, {}, std::as_bytes(std::span(w).subspan(3, 1))},
                              {"none", DType::kF32, {0, 4}, {}},
                              {"half", DType::kBF16, {2, 1}, std::as_bytes(std::span(halves))},
                              {"n", DType::kU8, {3}, std::as_bytes(std::span(numbers))}});
  auto text = inspect(path("model"));
  const auto digits = text.find(", checksum ") + 11;
  ASSERT_LT(digits, text.size()) << text;
  text.replace(digits, 8, "########");
  EXPECT_EQ(text, path("model") +
                      ": safetensors, checksum ########: OK\n"
                      "\n"
                      "made\\x09by    a hand\n"
                      "              of two lines\n"
                      "warpfit.kind  model\n"
                      "\n"
                      "tensor  type  shape      min       max       mean  NaN  inf  crc32\n"
                      "w       F32   2x3         -2         1  -0.166667    1    2  9fc0b356\n"
                      "large   F64   2       1e+308  1.5e+308  1.25e+308    0    0  de41d104\n"
                      "lost    F32   scalar       -         -          -    1    0  2a0464ff\n"
                      "none    F32   0x4          -         -          -    0    0  00000000\n"
                      "half    BF16  2x1          0         0          0    0    0  2144df1c\n"
                      "n       U8    3            -         -          -    -    -  4b0bfd3b\n"
                      "6 tensors, 51 bytes\n");
}

TEST_F(InspectTest, ReadsSafetensorsOfOthers) {
  const auto path = folder_.add(
      "model", safetensors(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})", {7, 8, 9}));
  EXPECT_EQ(inspect(path), path +
                               ": safetensors, without a checksum\n"
                               "\n"
                               "tensor  type  shape  min  max  mean  NaN  inf  crc32\n"
                               "a       U8    3        -    -     -    -    -  4b0bfd3b\n"
                               "1 tensor, 3 bytes\n");
}

TEST_F(InspectTest, FollowsAnOnnxGraph) {
  const std::vector<float> w{1, 2, 3, 4, 5, 6, 7, 8};
  const std::vector<float> b{0.5F, -0.5F};
  write_onnx(path("model"), {.sample_shape = {2, 2},
                             .output_shape = {2},
                             .operators = {{"Flatten", {}, {{"axis", 1}}},
                                           {"Gemm", {"0.weight", "0.bias"}, {{"transB", 1}}},
                                           {"Relu"},
                                           {"LogSoftmax", {}, {{"axis", 1}}}},
                             .tensors = {{"0.weight", {2, 4}, w}, {"0.bias", {2}, b}},
                             .metadata = {{"seed", "7"}},
                             .producer_version = "1.2.3"});
  EXPECT_EQ(inspect(path("model")), path("model") +
                                        ": ONNX, IR version 8\n"
                                        "producer    warpfit 1.2.3\n"
                                        "opset       17\n"
                                        "input       input FLOAT batchx2x2\n"
                                        "output      output FLOAT batchx2\n"
                                        "nodes       4: Flatten, Gemm, Relu, LogSoftmax\n"
                                        "\n"
                                        "seed  7\n"
                                        "\n"
                                        "tensor    type   shape   min  max  mean  NaN  inf  crc32\n"
                                        "0.weight  FLOAT  2x4       1    8   4.5    0    0  486fab2e\n"
                                        "0.bias    FLOAT  2      -0.5  0.5     0    0    0  1d8d5e23\n"
                                        "2 tensors, 40 bytes\n");
}

// A name that would clear the screen, weights stored in another file, and a value that is not a tensor.
TEST_F(InspectTest, ShowsHostileAndUnknownPartsOfOnnx) {
  using Message = ProtobufMessage;
  const auto external = Message().integer(1, 9).integer(2, 1).bytes(8, "a\x1b[2J").bytes(13, "");
  const auto graph = Message().message(11, Message().bytes(1, "list\n")).message(5, external).text();
  const auto model = Message()
                         .integer(1, 8)
                         .bytes(2, "me")
                         .message(8, Message().integer(2, 17))
                         .message(8, Message().bytes(1, "ai.x").integer(2, 1))
                         .bytes(7, graph)
                         .text();
  const auto path = folder_.add("model", Bytes(model.begin(), model.end()));
  EXPECT_EQ(inspect(path), path +
                               ": ONNX, IR version 8\n"
                               "producer    me\n"
                               "opset       17, 1 of ai.x\n"
                               "input       list\\x0a of no tensor type\n"
                               "nodes       0\n"
                               "\n"
                               "tensor    type   shape  min  max  mean  NaN  inf  crc32\n"
                               "a\\x1b[2J  FLOAT  9        -    -     -    -    -  -\n"
                               "1 tensor, 0 bytes\n");
}

TEST_F(InspectTest, RefusesOtherFilesByTheirBytes) {
  const auto text = [](const std::string& characters) { return Bytes(characters.begin(), characters.end()); };
  struct Case {
    Bytes bytes;
    int exit_code;
    std::string message;
  };
  const std::vector<Case> cases{
      {{}, 3, "is empty, expected IDX (plain or gzip), safetensors or ONNX"},
      {text("hello"), 3, "unknown bytes 68 65 6c 6c at byte 0, expected IDX"},
      {text("{}"), 3, "unknown bytes 7b 7d at byte 0"},
      {text("PK\x03\x04") + Bytes(100), 3,
       "is a zip archive, expected IDX (plain or gzip), safetensors or ONNX; unpack it"},
      {text("\x89HDF\r\n\x1A\n"), 4, "is an HDF5 file"},
      {text("GGUF"), 4, "is a GGUF file"},
      {Bytes{0x80, 2} + text("}q"), 4, "is a checkpoint of PyTorch (a pickle)"},
      {Bytes{0, 0, 8}, 3, "has 3 bytes, expected an IDX header"},
      {idx({1}, Bytes(4), 0x0D), 3, "element type 0x0d (32-bit floats) at byte 2"},
      {idx({2, 2, 3}, Bytes(11)), 3, "has 27 bytes, expected 28"},
      {gzip(text("hello")), 3, "magic number 68656c6c at byte 0"},
      {Bytes{0x1F, 0x8B, 8}, 3, "is truncated"},
      {safetensors("{}", {1}), 4, "1 bytes of data belong to no tensor"},
      {safetensors("{hello}"), 4, "expected JSON"},
      {Bytes{8, 8}, 4, "expected an operator set (field 8)"},
      {Bytes{8, 0}, 3, "unknown bytes 08 00"},
      {Bytes{8, 0x88, 1}, 3, "unknown bytes 08 88 01"},
  };
  for (const auto& refused : cases) {
    const auto path = folder_.add("file", refused.bytes);
    const auto run = run_warpfit({"inspect", path});
    EXPECT_EQ(run.exit_code, refused.exit_code) << refused.message << run.error;
    EXPECT_EQ(run.out, "");
    EXPECT_NE(run.error.find(path + ": "), std::string::npos) << run.error;
    EXPECT_NE(run.error.find(refused.message), std::string::npos) << run.error;
    EXPECT_EQ(std::count(run.error.begin(), run.error.end(), '\n'), 1) << run.error;
  }
  EXPECT_EQ(run_warpfit({"inspect", path("absent")}).exit_code, 5);
  EXPECT_EQ(run_warpfit({"inspect", folder_.path().string()}).exit_code, 5);
  EXPECT_EQ(run_warpfit({"inspect"}).exit_code, 2);
}

}  // namespace
}  // namespace warpfit::test
