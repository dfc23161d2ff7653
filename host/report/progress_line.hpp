// The line on a terminal that shows the progress of a run. It is the last line of the screen and is redrawn
// in place.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "host/report/line_signals.hpp"
#include "host/report/report.hpp"

namespace warpfit {

/// The contents of the line.
struct Progress {
  std::int64_t epoch = 0, epochs = 0;
  double share = 0;                     ///< completed fraction of the epoch, 0 to 1
  std::optional<float> loss = {};       ///< last printed loss
  std::optional<double> accuracy = {};  ///< of the last evaluation, 0 to 1
  double samples_per_second = 0;        ///< 0 if unknown
  std::optional<double> seconds_left = {};
};

/// The line in at most `width` columns of ASCII characters. The bar takes the remaining columns. Parts that
/// do not fit are omitted, the least important ones first: samples per second, accuracy, loss, remaining
/// time, epoch.
std::string progress_text(const Progress& progress, std::size_t width);

/// Shows the line while the wrapped reports and the log write to the same terminal: it is erased before they
/// write and redrawn afterwards, but at most ten times per second; if the last drawing was too recent, a
/// separate thread redraws it later. In the background nothing is drawn or erased. A signal that ends the
/// process erases the line. Only values that are reported anyway are shown.
class ProgressReport final : public Report {
 public:
  using Clock = std::chrono::steady_clock;

  struct Terminal {
    std::function<void(std::string_view)> write;
    std::function<std::size_t()>
        width;  ///< columns; queried each time, because the user may resize the window
    std::function<Clock::time_point()> now = Clock::now;
    /// Asked each time: a shell may move the process to the background, where others write to the terminal.
    std::function<bool()> is_foreground = [] { return true; };
  };

  /// `reports` must outlive this.
  ProgressReport(Report& reports, Terminal terminal);
  /// Erases the line.
  ~ProgressReport() override;

  void run_started(const RunStart& run) override;
  void epoch_started(std::int64_t epoch) override;
  void loss(const LossReport& report) override;
  void epoch_ended(const EpochReport& report) override;
  void done() override;

 private:
  template <class Call>
  void forward(Call call);
  void estimate();
  void erase();
  void draw_soon();
  void draw();
  void draw_when_due();

  Report& reports_;
  Terminal terminal_;
  std::recursive_mutex
      mutex_;  // protects the following members and the terminal; reports may log, which locks it again
  Progress progress_;
  Clock::time_point started_{}, drawn_{};
  std::optional<double> first_;  // number of epochs that were complete when the process started
  LineSignals signals_;
  bool is_drawn_ = false;
  bool is_due_ = false;
  bool stopping_ = false;
  std::condition_variable_any changed_;
  std::thread draw_thread_;  // the last member: it uses the others
};

/// Standard error if it is a terminal that can erase lines: TERM is neither unset nor "dumb". Nothing if
/// standard output is a pipe: its reader may write to the same terminal while the line is shown.
std::optional<ProgressReport::Terminal> progress_terminal();

}  // namespace warpfit
