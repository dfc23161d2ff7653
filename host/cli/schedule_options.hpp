// The flags of the learning rate's schedules, and what they come to. Names and defaults are PyTorch's.
#pragma once

#include "host/cli/commands.hpp"
#include "host/optim/schedule.hpp"

namespace warpfit {

/// Their rows of the table.
Options schedule_options(ScheduleFlags& flags);

/// For a run of so many epochs. Errors: UsageError for a flag that the schedule does not have, or that it
/// misses.
ScheduleShape schedule_of(const ScheduleFlags& flags, std::int64_t epochs);

/// Whether another number of epochs changes the learning rates of all of them.
bool spans_all_epochs(const ScheduleFlags& flags);

}  // namespace warpfit
