#include "host/cpu/thread_pool.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <numeric>
#include <set>
#include <stdexcept>

namespace warpfit::cpu::test {
namespace {

TEST(ThreadPool, DoesEachPartOnceAndReturnsWhenAllAreDone) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    ASSERT_EQ(pool.threads(), threads);
    for (int turn = 0; turn < 200; ++turn) {
      const int parts = 1 + turn % threads;
      std::vector<int> done(static_cast<std::size_t>(threads));  // not atomic: the pool orders the accesses
      pool.run(parts, [&](int part) { ++done[static_cast<std::size_t>(part)]; });
      for (int part = 0; part < threads; ++part) {
        ASSERT_EQ(done[static_cast<std::size_t>(part)], part < parts ? 1 : 0) << part << " of " << parts;
      }
    }
  }
}

TEST(ThreadPool, GivesAPartToTheSameThreadAlways) {
  ThreadPool pool(3);
  std::vector<std::set<std::thread::id>> seen(3);
  for (int turn = 0; turn < 50; ++turn) {
    pool.run(3, [&](int part) { seen[static_cast<std::size_t>(part)].insert(std::this_thread::get_id()); });
  }
  for (const auto& ids : seen) EXPECT_EQ(ids.size(), 1U);
  EXPECT_TRUE(seen[0].contains(std::this_thread::get_id()));
}

TEST(ThreadPool, SplitsWithoutGapOrOverlap) {
  ThreadPool pool(4);
  for (const std::int64_t size : {0, 1, 3, 9, 10, 11, 39, 40, 41, 1000}) {
    std::vector<int> visits(static_cast<std::size_t>(size));
    std::atomic<int> stretches = 0;
    pool.split(size, 10, [&](std::int64_t first, std::int64_t end) {
      ++stretches;
      for (auto i = first; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
    });
    EXPECT_EQ(std::accumulate(visits.begin(), visits.end(), std::int64_t{0}), size);
    EXPECT_EQ(std::count(visits.begin(), visits.end(), 1), size);
    EXPECT_EQ(stretches, std::clamp<std::int64_t>(size / 10, 1, 4)) << size;
  }
}

// Threads that have gone to sleep are woken up.
TEST(ThreadPool, WorksAfterAPause) {
  ThreadPool pool(3);
  for (int turn = 0; turn < 5; ++turn) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::atomic<int> done = 0;
    pool.run(3, [&](int part) {
      if (part == 2) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      ++done;
    });
    EXPECT_EQ(done, 3);
  }
}

TEST(ThreadPool, ThrowsWhatAPartThrewOnceAllAreDone) {
  ThreadPool pool(3);
  std::atomic<int> done = 0;
  const auto work = [&](int part) {
    if (part == 1) throw std::runtime_error("part 1");
    ++done;
  };
  EXPECT_THROW(pool.run(3, work), std::runtime_error);
  EXPECT_EQ(done, 2);
  pool.run(3, [&](int) { ++done; });  // the pool still works
  EXPECT_EQ(done, 5);
}

}  // namespace
}  // namespace warpfit::cpu::test
