#include "host/report/progress_line.hpp"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>
#include <vector>

#include "host/report/log.hpp"

namespace warpfit {
namespace {

// The minimum time between two drawings.
constexpr auto kInterval = std::chrono::milliseconds(100);

std::string duration(double seconds) {
  constexpr std::int64_t kMinute = 60, kHour = 3600;
  const auto whole = static_cast<std::int64_t>(std::ceil(seconds));
  if (whole >= kHour)
    return fmt::format("{}:{:02}:{:02}", whole / kHour, whole % kHour / kMinute, whole % kMinute);
  return fmt::format("{}:{:02}", whole / kMinute, whole % kMinute);
}

// "987", "12.3k", "4.56M"
std::string short_number(double value) {
  if (value < 1e3) return fmt::format("{:.0f}", value);
  if (value < 1e6) return fmt::format("{:.3g}k", value / 1e3);
  return fmt::format("{:.3g}M", value / 1e6);
}

std::string bar(double share, std::size_t width) {
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(width));
  std::string cells(filled, '=');
  if (filled < width) cells += '>';
  cells.resize(width, ' ');
  return fmt::format("[{}]", cells);
}

// Of a command such as `warpfit train | tee log`, whose last part writes to the same terminal at any time.
bool is_piped(int descriptor) {
  struct stat status {};
  return fstat(descriptor, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

}  // namespace

std::string progress_text(const Progress& progress, std::size_t width) {
  struct Part {
    std::string text;
    int importance;
  };
  std::vector<Part> parts{{fmt::format("epoch {}/{}", progress.epoch, progress.epochs), 5},
                          {fmt::format("{:.0f}%", std::floor(100 * progress.share)), 6}};
  if (progress.loss) parts.push_back({fmt::format("loss {:.4f}", *progress.loss), 3});
  if (progress.accuracy) parts.push_back({fmt::format("accuracy {:.1f}%", 100 * *progress.accuracy), 2});
  if (progress.samples_per_second > 0)
    parts.push_back({fmt::format("{} samples/s", short_number(progress.samples_per_second)), 1});
  if (progress.seconds_left) parts.push_back({fmt::format("{} left", duration(*progress.seconds_left)), 4});
  constexpr std::string_view kGap = "  ";
  const auto join = [&parts, kGap] {
    std::string line;
    for (const auto& part : parts) line.append(line.empty() ? "" : kGap).append(part.text);
    return line;
  };
  while (parts.size() > 1 && join().size() > width)
    parts.erase(std::ranges::min_element(parts, {}, &Part::importance));
  // The bar takes the remaining columns.
  constexpr std::size_t kMinBar = 5, kMaxBar = 20, kBrackets = 2;
  const auto used = join().size() + kGap.size() + kBrackets;
  if (parts.size() > 1 && used + kMinBar <= width)
    parts.insert(parts.begin() + 1, {bar(progress.share, std::min(kMaxBar, width - used)), 0});
  return join().substr(0, width);
}

ProgressReport::ProgressReport(Report& reports, Terminal terminal)
    : reports_(reports), terminal_(std::move(terminal)) {
  const auto before = [this] {
    mutex_.lock();
    erase();
  };
  const auto after = [this] {
    draw_soon();
    mutex_.unlock();
  };
  surround_log_messages({before, after});
  try {
    draw_thread_ = std::thread([this] { draw_when_due(); });
  } catch (const std::system_error&) {  // no thread is available: the line is drawn only with the reports
  }
}

ProgressReport::~ProgressReport() {
  surround_log_messages({});
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (draw_thread_.joinable()) draw_thread_.join();
  erase();
}

template <class Call>
void ProgressReport::forward(Call call) {
  const std::scoped_lock lock(mutex_);
  erase();
  call();
  draw_soon();
}

void ProgressReport::run_started(const RunStart& run) {
  forward([&] {
    progress_.epochs = run.epochs;
    started_ = terminal_.now();
    reports_.run_started(run);
  });
}

void ProgressReport::epoch_started(std::int64_t epoch) {
  forward([&] {
    progress_.epoch = epoch;
    progress_.share = 0;
    reports_.epoch_started(epoch);
  });
}

void ProgressReport::loss(const LossReport& report) {
  forward([&] {
    progress_.loss = report.loss;
    const auto samples = static_cast<double>(report.samples);
    progress_.share = static_cast<double>(report.seen) / samples;
    // A resumed run may have started in the middle of the epoch.
    const auto skipped = static_cast<double>(std::max<std::int64_t>(0, report.seen - report.trained));
    if (!first_) first_ = static_cast<double>(report.epoch - 1) + skipped / samples;
    if (report.seconds > 0)
      progress_.samples_per_second = static_cast<double>(report.trained) / report.seconds;
    estimate();
    reports_.loss(report);
  });
}

void ProgressReport::epoch_ended(const EpochReport& report) {
  forward([&] {
    progress_.accuracy = (report.validation ? *report.validation : report.test).accuracy();
    progress_.share = 1;
    estimate();
    reports_.epoch_ended(report);
  });
}

void ProgressReport::done() {
  const std::scoped_lock lock(mutex_);
  progress_.epoch = 0;  // nothing more is drawn
  is_due_ = false;
  erase();
  reports_.done();
}

// Based on the time that this process has taken so far, including evaluations.
void ProgressReport::estimate() {
  const double done = static_cast<double>(progress_.epoch - 1) + progress_.share;
  const double here = done - first_.value_or(done);
  const std::chrono::duration<double> elapsed = terminal_.now() - started_;
  if (here > 0)
    progress_.seconds_left = elapsed.count() * (static_cast<double>(progress_.epochs) - done) / here;
}

// Not in the background: the cursor's line is then one of somebody else, such as the shell's prompt.
void ProgressReport::erase() {
  if (is_drawn_ && terminal_.is_foreground()) terminal_.write(kEraseLine);
  is_drawn_ = false;
  signals_.set_shown(false);
}

void ProgressReport::draw_soon() {
  if (progress_.epoch == 0) return;
  if (terminal_.now() - drawn_ >= kInterval) {
    draw();
  } else {
    is_due_ = true;
    changed_.notify_one();
  }
}

void ProgressReport::draw() {
  constexpr std::size_t kMinColumns = 10;
  drawn_ = terminal_.now();
  is_due_ = false;
  if (!terminal_.is_foreground()) return;
  const auto columns = terminal_.width();
  if (columns < kMinColumns) return;
  signals_.set_shown(true);
  // A terminal may wrap after its last column. The cursor stays at the start of the line, so that whatever
  // comes next is written over it.
  terminal_.write(progress_text(progress_, columns - 1) + "\r");
  is_drawn_ = true;
}

void ProgressReport::draw_when_due() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (!is_due_) {
      changed_.wait(lock);
      continue;
    }
    const auto left = drawn_ + kInterval - terminal_.now();
    if (left > Clock::duration::zero()) {
      changed_.wait_for(lock, left);
    } else {
      draw();
    }
  }
}

std::optional<ProgressReport::Terminal> progress_terminal() {
  const char* kind = std::getenv("TERM");
  if (isatty(STDERR_FILENO) == 0 || kind == nullptr || std::string_view(kind) == "dumb") return std::nullopt;
  if (is_piped(STDOUT_FILENO)) return std::nullopt;
  const auto write = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
  };
  const auto width = []() -> std::size_t {
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
  };
  const auto is_foreground = [] { return tcgetpgrp(STDERR_FILENO) == getpgrp(); };
  return ProgressReport::Terminal{write, width, ProgressReport::Clock::now, is_foreground};
}

}  // namespace warpfit
