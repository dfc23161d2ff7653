#include "host/parallel/launch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/parallel/tcp_group.hpp"

namespace warpfit::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

const Variables kOmpi{{"OMPI_COMM_WORLD_RANK", "3"},
                      {"OMPI_COMM_WORLD_SIZE", "4"},
                      {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                      {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}};
const Variables kTorch{{"RANK", "5"},
                       {"WORLD_SIZE", "8"},
                       {"LOCAL_RANK", "1"},
                       {"LOCAL_WORLD_SIZE", "4"},
                       {"MASTER_ADDR", "node1"},
                       {"MASTER_PORT", "29500"}};
const Variables kSlurm{{"SLURM_STEP_ID", "0"},
                       {"SLURM_PROCID", "2"},
                       {"SLURM_NTASKS", "4"},
                       {"SLURM_LOCALID", "0"},
                       {"SLURM_JOB_ID", "99"}};

Launch launch_of(const Variables& variables, ParallelMode mode = ParallelMode::kAuto) {
  return find_launch(mode, [&](const char* name) {
    const auto found = variables.find(name);
    return found != variables.end() ? found->second.c_str() : nullptr;
  });
}

Variables with(Variables variables, const Variables& changes) {
  for (const auto& [name, value] : changes) variables[name] = value;
  return variables;
}

void expect_ranks(const Launch& launch, Launch::Kind kind, int rank, int size, int local_rank,
                  int local_size) {
  EXPECT_EQ(launch.kind, kind);
  EXPECT_EQ(launch.rank, rank);
  EXPECT_EQ(launch.size, size);
  EXPECT_EQ(launch.local_rank, local_rank);
  EXPECT_EQ(launch.local_size, local_size);
}

std::string usage_error_of(const Variables& variables, ParallelMode mode = ParallelMode::kAuto) {
  try {
    launch_of(variables, mode);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no UsageError";
}

TEST(Launch, IsAloneWithoutALauncher) {
  for (const auto mode : {ParallelMode::kAuto, ParallelMode::kNone, ParallelMode::kNccl}) {
    expect_ranks(launch_of({}, mode), Launch::Kind::kAlone, 0, 1, 0, 1);
    expect_ranks(launch_of({{"MASTER_PORT", "x"}}, mode), Launch::Kind::kAlone, 0, 1, 0, 1);
  }
  EXPECT_THAT(usage_error_of(kTorch, ParallelMode::kMpi), HasSubstr("mpirun -n N warpfit"));
}

TEST(Launch, IsAloneIfTheUserSaysSo) {
  for (const auto& variables : {kOmpi, kTorch, kSlurm, with(kTorch, {{"RANK", "x"}})}) {
    EXPECT_EQ(launch_of(variables, ParallelMode::kNone).kind, Launch::Kind::kAlone);
  }
}

TEST(Launch, IsAloneAsTheOnlyRank) {
  EXPECT_EQ(launch_of({{"RANK", "0"}, {"WORLD_SIZE", "1"}}).kind, Launch::Kind::kAlone);
  EXPECT_EQ(
      launch_of({{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "1"}}, ParallelMode::kMpi).kind,
      Launch::Kind::kAlone);
}

TEST(Launch, FindsOpenMpi) {
  for (const auto mode : {ParallelMode::kAuto, ParallelMode::kMpi, ParallelMode::kNccl}) {
    expect_ranks(launch_of(kOmpi, mode), Launch::Kind::kMpi, 3, 4, 1, 2);
    expect_ranks(launch_of(with(kTorch, kOmpi), mode), Launch::Kind::kMpi, 3, 4, 1, 2);  // comes first
  }
}

TEST(Launch, FindsMpich) {
  const Variables mpich{{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}};
  expect_ranks(launch_of(mpich), Launch::Kind::kMpi, 1, 2, -1, -1);
  expect_ranks(launch_of(with(mpich, {{"MPI_LOCALRANKID", "0"}, {"MPI_LOCALNRANKS", "1"}})),
               Launch::Kind::kMpi, 1, 2, 0, 1);
}

TEST(Launch, FindsTorchrun) {
  for (const auto mode : {ParallelMode::kAuto, ParallelMode::kNccl}) {
    const auto launch = launch_of(with(kTorch, {{"TORCHELASTIC_RUN_ID", "run"}}), mode);
    expect_ranks(launch, Launch::Kind::kTcp, 5, 8, 1, 4);
    EXPECT_EQ(launch.address, "node1");
    EXPECT_EQ(launch.port, 29500);
    EXPECT_EQ(launch.token, "run");
  }
}

// torchrun's own store listens on MASTER_PORT.
TEST(Launch, TakesThePortAfterThatOfTorchrun) {
  auto torchrun = with(kTorch, {{"TORCHELASTIC_USE_AGENT_STORE", "True"}});
  EXPECT_EQ(launch_of(torchrun).port, 29501);
  torchrun["MASTER_PORT"] = "65535";
  EXPECT_EQ(launch_of(torchrun).port, 65534);
  torchrun["TORCHELASTIC_USE_AGENT_STORE"] = "False";
  EXPECT_EQ(launch_of(torchrun).port, 65535);
}

TEST(Launch, FindsSrun) {
  const Variables address{{"MASTER_ADDR", "node1"}, {"MASTER_PORT", "1"}};
  expect_ranks(launch_of(kSlurm), Launch::Kind::kAlone, 0, 1, 0, 1);
  const auto launch = launch_of(with(kSlurm, address));
  expect_ranks(launch, Launch::Kind::kTcp, 2, 4, 0, -1);
  EXPECT_EQ(launch.token, "99");
  expect_ranks(launch_of(with(kSlurm, {{"PMIX_RANK", "2"}})), Launch::Kind::kMpi, 2, 4, 0, -1);
  EXPECT_EQ(launch_of(with(with(kSlurm, address), {{"SLURM_STEP_NUM_TASKS", "3"}})).size, 3);
  auto batch_script = with(kSlurm, address);
  batch_script.erase("SLURM_STEP_ID");
  EXPECT_EQ(launch_of(batch_script).kind, Launch::Kind::kAlone);
}

TEST(Launch, PrefersItsOwnToken) {
  const Variables tokens{
      {"WARPFIT_JOB_TOKEN", "mine"}, {"TORCHELASTIC_RUN_ID", "run"}, {"SLURM_JOB_ID", "9"}};
  EXPECT_EQ(launch_of(with(kTorch, tokens)).token, "mine");
  EXPECT_EQ(launch_of(kTorch).token, "");
  EXPECT_THAT(usage_error_of(with(kTorch, {{"WARPFIT_JOB_TOKEN", std::string(257, 'x')}})),
              HasSubstr("WARPFIT_JOB_TOKEN is longer than 256 bytes"));
}

TEST(Launch, RefusesInvalidVariables) {
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"RANK", "abc"},
                                                        {"RANK", "8"},
                                                        {"RANK", "-1"},
                                                        {"RANK", "1 "},
                                                        {"WORLD_SIZE", "0"},
                                                        {"WORLD_SIZE", "99999999999"},
                                                        {"LOCAL_RANK", "x"},
                                                        {"LOCAL_RANK", "4"},
                                                        {"LOCAL_WORLD_SIZE", "9"},
                                                        {"MASTER_PORT", "0"},
                                                        {"MASTER_PORT", "65536"}}) {
    EXPECT_THAT(usage_error_of(with(kTorch, {{name, value}})),
                AllOf(HasSubstr("environment variable " + name + "=" + value)));
  }
  EXPECT_THAT(usage_error_of(with(kOmpi, {{"OMPI_COMM_WORLD_RANK", "4"}})),
              HasSubstr("OMPI_COMM_WORLD_RANK=4 is not an integer from 0 to 3"));
}

TEST(Launch, NamesMissingVariables) {
  for (const std::string name : {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}) {
    auto variables = kTorch;
    variables.erase(name);
    EXPECT_THAT(usage_error_of(variables), HasSubstr("environment variable " + name + " is not set"));
    variables[name] = "";
    EXPECT_THAT(usage_error_of(variables), HasSubstr("environment variable " + name + " is not set"));
  }
  auto variables = kTorch;
  variables.erase("LOCAL_RANK");
  EXPECT_EQ(launch_of(variables).local_rank, -1);
}

TEST(MakeCommunicator, ConnectsTheRanksOfALaunch) {
  EXPECT_EQ(make_communicator({}, "1")->size(), 1);
  const int port = listen_on("127.0.0.1", 0).port();
  auto launch = launch_of(with(kTorch, {{"WORLD_SIZE", "2"},
                                        {"RANK", "0"},
                                        {"LOCAL_RANK", "0"},
                                        {"LOCAL_WORLD_SIZE", "2"},
                                        {"MASTER_ADDR", "localhost"},
                                        {"MASTER_PORT", std::to_string(port)}}));
  const auto meet = [](const Launch& own) {
    const auto ranks = make_communicator(own, "1");
    EXPECT_EQ(ranks->rank(), own.rank);
    EXPECT_EQ(ranks->gather("a").size(), 2U);
  };
  auto rank0 = std::async(std::launch::async, meet, launch);
  launch.rank = 1;
  meet(launch);
  rank0.get();
}

}  // namespace
}  // namespace warpfit::test
