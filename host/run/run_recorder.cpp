#include "host/run/run_recorder.hpp"

#include <utility>

namespace warpfit {

RunRecorder::RunRecorder(const RunFolder& folder, const ModelInfo& model, std::string data,
                         const MetricsSizes& keep)
    : folder_(folder), model_(model), data_(std::move(data)), metrics_(folder.folder(), keep) {}

TrainerHooks intervals_of(const CheckpointInterval& every) {
  return {.save_every_steps = every.in_epochs ? 0 : every.count,
          .save_every_epochs = every.in_epochs ? every.count : 0};
}

void RunRecorder::save_best(std::span<const float> parameters, std::span<const float> state) const {
  save_model(folder_.file(kBestFile), model_, parameters, state);
}

void RunRecorder::save(TrainingState state) {
  metrics_.flush();
  folder_.save({model_, std::move(state), metrics_.sizes(), data_});
}

}  // namespace warpfit
