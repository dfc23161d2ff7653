// The flags of the learning-rate schedules, and conversion to a schedule. Names and defaults are PyTorch's.
#pragma once

#include "host/cli/commands.hpp"
#include "host/optim/schedule.hpp"

namespace warpfit {

/// The options of all schedules.
Options schedule_options(ScheduleFlags& flags);

/// The schedule for a run of this many epochs. Errors: UsageError if a flag is not valid for the schedule, or
/// if a required flag is missing.
ScheduleShape schedule_of(const ScheduleFlags& flags, std::int64_t epochs);

/// Whether a different number of epochs changes the learning rates of all epochs.
bool spans_all_epochs(const ScheduleFlags& flags);

}  // namespace warpfit
