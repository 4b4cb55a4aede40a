#include "trainer/report/change_tables.h"

#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

std::string answer_fields(const Figures& figures, const Evaluation& evaluation, std::size_t place) {
  const std::size_t first = place * static_cast<std::size_t>(evaluation.top_k);
  return csv_field(figures.classes[static_cast<std::size_t>(evaluation.top[first])]) + ',' +
         shortest(evaluation.probability[first]);
}

}  // namespace

std::string changed_pictures_csv(const Figures& figures) {
  const Evaluation& own = figures.headline;
  const Evaluation& other = figures.input.against->evaluation;
  std::string out = "path,label,change,answer,probability,other_answer,other_probability\n";
  const auto add = [&](std::size_t place, const char* change) {
    out += csv_field(figures.input.path(own.sample[place])) + ',' +
           csv_field(figures.classes[static_cast<std::size_t>(own.label[place])]) + ',' + change +
           ',' + answer_fields(figures, own, place) + ',' + answer_fields(figures, other, place) +
           '\n';
  };
  for (const std::size_t place : figures.against->gained) add(place, "gained");
  for (const std::size_t place : figures.against->lost) add(place, "lost");
  return out;
}

std::string class_changes_csv(const Figures& figures) {
  std::string out = "class,support,right,other_right,gained,lost\n";
  for (std::size_t c = 0; c < figures.classes.size(); ++c) {
    const ClassChange& change = figures.against->classes[c];
    out += csv_field(figures.classes[c]);
    for (const std::int64_t count :
         {change.support, change.right(), change.right_by_other(), change.gained, change.lost}) {
      out += ',' + std::to_string(count);
    }
    out += '\n';
  }
  return out;
}

}  // namespace casvit::trainer
