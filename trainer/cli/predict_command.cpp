#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/cli/commands.h"
#include "trainer/cli/model_arguments.h"
#include "trainer/engine/predict.h"
#include "trainer/engine/run_folder.h"
#include "trainer/report/atomic_file.h"
#include "trainer/report/prediction_gallery.h"
#include "trainer/report/predictions.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

struct Arguments : ModelArguments {
  PredictOptions options;
  std::string out;
  std::string html;
};

std::string name_of(const Predictions& result, std::int32_t index) {
  if (index < 0) {
    return {};
  }
  return result.classes.empty() ? std::to_string(index)
                                : result.classes.at(static_cast<std::size_t>(index));
}

/// A list with one object a picture.
std::string json_of(const Predictions& result) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  const Evaluation& evaluation = result.evaluation;
  const auto top_k = static_cast<std::size_t>(evaluation.top_k);
  for (std::size_t i = 0; i < evaluation.label.size(); ++i) {
    nlohmann::ordered_json top = nlohmann::ordered_json::array();
    for (std::size_t k = i * top_k; k < (i + 1) * top_k; ++k) {
      top.push_back({{"class", sanitize_utf8(name_of(result, evaluation.top[k]))},
                     {"probability", evaluation.probability[k]}});
    }
    const std::int32_t label = evaluation.label[i];
    all.push_back(
        {{"path", sanitize_utf8(result.paths[evaluation.sample[i]])},
         {"label", label < 0 ? nlohmann::ordered_json(nullptr)
                             : nlohmann::ordered_json(sanitize_utf8(name_of(result, label)))},
         {"top", std::move(top)}});
  }
  return all.dump(1) + "\n";
}

std::string text_of(const Predictions& result, const std::string& out) {
  if (out.ends_with(".json")) {
    return json_of(result);
  }
  return predictions_csv(result.evaluation, result.classes,
                         [&](std::uint64_t sample) { return result.paths[sample]; });
}

std::string page_of(const Predictions& result, const PredictOptions& options) {
  std::vector<std::string> unreadable;
  for (const UnreadablePicture& picture : result.unreadable) {
    unreadable.push_back(picture.reason);
  }
  const std::string& first = options.inputs.front();
  const std::string more = std::to_string(options.inputs.size() - 1) + " more";
  return prediction_gallery_page(
      {.title = options.inputs.size() == 1 ? first : first + " and " + more,
       .evaluation = result.evaluation,
       .classes = result.classes,
       .path = [&](std::uint64_t sample) { return result.paths[sample]; },
       .thumbnails = result.thumbnails,
       .unreadable = std::move(unreadable),
       .ignored = result.ignored,
       .facts = {{"Checkpoint", options.checkpoint},
                 {"Weights", result.is_ema ? "EMA" : "model"}}});
}

void tell(const Predictions& result, const std::string& out) {
  const auto pictures = static_cast<double>(result.evaluation.samples());
  std::fprintf(stderr, "%s pictures in %.2f s, %.0f images/s%s%s\n",
               grouped(result.evaluation.samples()).c_str(), result.seconds,
               pictures / result.seconds, out.empty() ? "" : ": ", out.c_str());
  if (result.ignored > 0) {
    std::fprintf(stderr, "%s files that are no pictures by name were passed over\n",
                 grouped(static_cast<long long>(result.ignored)).c_str());
  }
  std::int64_t known = 0;
  std::int64_t right = 0;
  const Evaluation& evaluation = result.evaluation;
  for (std::size_t i = 0; i < evaluation.label.size(); ++i) {
    known += evaluation.label[i] >= 0 ? 1 : 0;
    const std::int32_t first = evaluation.top[i * static_cast<std::size_t>(evaluation.top_k)];
    right += evaluation.label[i] >= 0 && evaluation.label[i] == first ? 1 : 0;
  }
  if (known > 0) {
    std::fprintf(stderr, "top-1 %.2f%% of the %s whose class is known\n",
                 100.0 * static_cast<double>(right) / static_cast<double>(known),
                 grouped(known).c_str());
  }
  if (!result.unreadable.empty()) {
    std::fprintf(stderr, "casvit: %zu of %zu pictures could not be read:\n",
                 result.unreadable.size(), result.paths.size());
    for (const UnreadablePicture& picture : result.unreadable) {
      std::fprintf(stderr, "  %s\n", picture.reason.c_str());
    }
  }
}

launch::ExitCode run(const Arguments& arguments, launch::World& world) {
  PredictOptions options = arguments.options;
  options.use = arguments.weights();
  options.overrides = arguments.overrides();
  options.thumbnails = !arguments.html.empty();
  const Predictions result = predict(options, world);
  if (world.rank() == 0) {
    if (!arguments.out.empty()) {
      write_text_file(arguments.out, text_of(result, arguments.out));
    } else if (!options.thumbnails) {
      const std::string text = text_of(result, "");
      std::fwrite(text.data(), 1, text.size(), stdout);
      std::fflush(stdout);
    }
    tell(result, arguments.out.empty() ? arguments.html : arguments.out);
    if (options.thumbnails) {
      write_file_atomically(arguments.html, page_of(result, options));
    }
  }
  return result.unreadable.empty() ? launch::ExitCode::kDone : launch::ExitCode::kInput;
}

}  // namespace

void add_predict_command(launch::CommandLine& program, std::optional<Command>& chosen) {
  launch::CommandLine command = program.subcommand("predict", "Name the classes of pictures");
  command.describe_when_asked(
      "Examples:\n"
      "  casvit_dist predict --checkpoint best.safetensors --input photos --out names.csv\n"
      "  casvit_dist predict --checkpoint best.safetensors --input oak.jpg --topk 3\n"
      "  casvit_dist predict --checkpoint best.safetensors --input photos --html names.html\n"
      "  mpirun -np 2 --bind-to none casvit_dist predict --checkpoint best.safetensors --input "
      "photos.val.h5 --out names.json\n\n"
      "Takes folders (of pictures, or of class folders), picture files and packed files.\n"
      "Preprocessing and class names come from the checkpoint. Pictures that cannot be read are "
      "listed\n"
      "at the end, with exit code 3; all others are named.");
  const auto arguments = std::make_shared<Arguments>();
  command.option("--checkpoint", arguments->options.checkpoint, "Checkpoint (.safetensors)")
      .required();
  command.option("--input", arguments->options.inputs, "Folders, pictures, .h5 files or globs")
      .required();
  command.option("--out", arguments->out,
                 "File for the result, .csv or .json; standard output (CSV) where this and --html "
                 "are left out");
  command.option("--html", arguments->html,
                 "File for a page with the pictures and their names, below 5 MB: of many pictures "
                 "at most 2,000, the least sure first");
  command.option("--topk", arguments->options.top_k, "Classes a picture, likeliest first")
      .range(1, 1 << 20)
      .show_default();
  add_model_options(command, *arguments);
  command.on_given([arguments, &chosen] {
    chosen = [arguments](launch::World& world) { return run(*arguments, world); };
  });
}

}  // namespace casvit::trainer
