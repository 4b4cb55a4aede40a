#include "trainer/report/prediction_gallery.h"

#include <algorithm>
#include <numeric>

#include "trainer/report/bar_figure.h"
#include "trainer/report/gallery_choice.h"
#include "trainer/report/html_page.h"
#include "trainer/report/page_assets.h"
#include "trainer/report/page_pictures.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

constexpr std::size_t kMostBars = 30;
constexpr int kMostAnswers = 5;  // beside a picture

/// For style, script and everything but pictures and the list of what could not be read.
constexpr std::size_t kBytesForTheRest = 400'000;
constexpr std::size_t kBytesForUnreadable = 200'000;

std::string number(std::size_t count) { return grouped(static_cast<long long>(count)); }

class Writer {
 public:
  explicit Writer(const PredictionGallery& gallery)
      : gallery_(gallery),
        evaluation_(gallery.evaluation),
        top_k_(static_cast<std::size_t>(evaluation_.top_k)) {}

  std::string page() {
    choose();
    const std::string body = summary() + unreadable() + classes() + pictures();
    return html_page({.title = gallery_.title,
                      .overline = "casvit predictions",
                      .body = body,
                      .style = std::string(gallery_style()),
                      .script = gallery_script(),
                      .script_sha256 = gallery_script_sha256()});
  }

 private:
  std::string name(std::int32_t index) const {
    return gallery_.classes.empty() ? std::to_string(index)
                                    : gallery_.classes.at(static_cast<std::size_t>(index));
  }
  std::int32_t answer(std::size_t place) const { return evaluation_.top[place * top_k_]; }
  float confidence(std::size_t place) const { return evaluation_.probability[place * top_k_]; }
  bool is_known(std::size_t place) const { return evaluation_.label[place] >= 0; }
  bool is_right(std::size_t place) const { return answer(place) == evaluation_.label[place]; }

  /// Renders pictures until the page is full, then puts them in order.
  void choose() {
    const std::vector<std::size_t> choice = gallery_choice(evaluation_);
    PagePictures pictures(kMostGalleryBytes);
    std::size_t left = kMostGalleryBytes - kBytesForTheRest - kBytesForUnreadable;
    for (std::size_t i = 0; i < choice.size(); ++i) {
      std::string item = item_html(choice[i], gallery_.thumbnails[i], pictures);
      if (item.size() > left) break;
      left -= item.size();
      shown_.push_back(choice[i]);
      items_.push_back(std::move(item));
    }
    order_.resize(items_.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::ranges::stable_sort(order_, {}, [&](std::size_t i) { return confidence(shown_[i]); });
    for (std::size_t place = 0; place < evaluation_.label.size(); ++place) {
      known_ += is_known(place) ? 1 : 0;
      right_ += is_known(place) && is_right(place) ? 1 : 0;
    }
  }

  std::string item_html(std::size_t place, const Thumbnail& thumbnail,
                        PagePictures& pictures) const {
    const std::int32_t first = answer(place);
    const bool wrong = is_known(place) && !is_right(place);
    const std::string path = gallery_.path(evaluation_.sample[place]);
    std::string out = "<li data-c='" + std::to_string(first) + "' data-p='" +
                      shortest(confidence(place)) + "' data-s='" +
                      (!is_known(place) ? "unknown"
                       : wrong          ? "wrong"
                                        : "right") +
                      "'" + (wrong ? " class='wrong'" : "") + ">" + pictures.html(thumbnail, path) +
                      "<ol>";
    const std::size_t answers = std::min(top_k_, std::size_t{kMostAnswers});
    for (std::size_t k = place * top_k_; k < place * top_k_ + answers; ++k) {
      const auto share = static_cast<double>(evaluation_.probability[k]);
      out += "<li><span class='name'>" + escape_html(name(evaluation_.top[k])) + "</span><b>" +
             share_html(share) + "</b><i style='--w:" + fixed(share, 3) + "'></i></li>";
    }
    out += "</ol>";
    if (wrong) {
      out += "<p class='truth'>wrong: it is <span class='name'>" +
             escape_html(name(evaluation_.label[place])) + "</span></p>";
    }
    return out + "<p class='path'>" + escape_html(path) + "</p></li>\n";
  }

  std::string summary() const {
    std::string out = "<section class='card' aria-label='Summary'><dl class='facts'>\n";
    const auto fact = [&](const std::string& key, const std::string& value) {
      out += "<div><dt>" + escape_html(key) + "</dt><dd>" + escape_html(value) + "</dd></div>\n";
    };
    fact("Pictures named", number(evaluation_.label.size()));
    if (known_ > 0) {
      const double share = 100 * static_cast<double>(right_) / static_cast<double>(known_);
      fact("Right, of " + number(known_) + " whose class is known", fixed(share, 2) + "%");
    }
    fact("Could not be read", number(gallery_.unreadable.size()));
    if (gallery_.ignored > 0) fact("No pictures by name", number(gallery_.ignored));
    out += "</dl>\n<dl class='sides'>";
    for (const auto& [key, value] : gallery_.facts) {
      out += "<dt>" + escape_html(key) + "</dt><dd>" + escape_html(value) + "</dd>";
    }
    return out + "</dl></section>\n";
  }

  std::string unreadable() const {
    if (gallery_.unreadable.empty()) return "";
    std::string out = "<section class='card'><h2>Could not be read (" +
                      number(gallery_.unreadable.size()) + ")</h2>\n<ul class='unreadable'>\n";
    const std::size_t end = out.size() + kBytesForUnreadable - 1000;
    std::size_t listed = 0;
    for (const std::string& reason : gallery_.unreadable) {
      const std::string item = "<li>" + escape_html(reason) + "</li>\n";
      if (out.size() + item.size() > end) break;
      out += item;
      ++listed;
    }
    out += "</ul>\n";
    if (listed < gallery_.unreadable.size()) {
      out += "<p class='note'>And " + number(gallery_.unreadable.size() - listed) +
             " more: the program named all.</p>\n";
    }
    return out + "</section>\n";
  }

  /// How many pictures each class was the answer to.
  std::vector<std::size_t> counts(const std::vector<std::size_t>* places) const {
    std::vector<std::size_t> count(static_cast<std::size_t>(evaluation_.classes));
    const std::size_t all = evaluation_.label.size();
    for (std::size_t i = 0; i < (places != nullptr ? places->size() : all); ++i) {
      ++count[static_cast<std::size_t>(answer(places != nullptr ? (*places)[i] : i))];
    }
    return count;
  }

  std::string classes() const {
    const std::vector<std::size_t> count = counts(nullptr);
    std::vector<std::int32_t> order;
    for (std::size_t c = 0; c < count.size(); ++c) {
      if (count[c] > 0) order.push_back(static_cast<std::int32_t>(c));
    }
    if (order.empty()) return "";
    std::ranges::stable_sort(order, std::ranges::greater(),
                             [&](std::int32_t c) { return count[static_cast<std::size_t>(c)]; });
    const std::size_t found = order.size();
    order.resize(std::min(found, kMostBars));
    BarFigure figure{"Pictures by predicted class", {"pictures"}, {}};
    for (const std::int32_t c : order) {
      const std::size_t n = count[static_cast<std::size_t>(c)];
      figure.rows.push_back({name(c), {static_cast<double>(n)}, {number(n)}});
    }
    return "<section class='card'><h2>Pictures by predicted class</h2>\n" +
           (order.size() < found ? "<p class='lead'>The " + number(order.size()) +
                                       " most frequent of " + number(found) + ".</p>\n"
                                 : std::string()) +
           bar_figure_html(figure) + "</section>\n";
  }

  std::string tools() const {
    const std::vector<std::size_t> count = counts(&shown_);
    std::string out =
        "<div class='tools scripted'><label>Class <select id='class'><option value=''>all</option>";
    for (std::size_t c = 0; c < count.size(); ++c) {
      if (count[c] == 0) continue;
      out += "<option value='" + std::to_string(c) + "'>" +
             escape_html(name(static_cast<std::int32_t>(c))) + " (" + number(count[c]) +
             ")</option>";
    }
    out += "</select></label>";
    if (known_ > 0) {
      out +=
          "<label>Answer <select id='state'><option value=''>all</option><option "
          "value='wrong'>wrong</option><option value='right'>right</option><option "
          "value='unknown'>class not known</option></select></label>";
    }
    return out +
           "<label>Order <select id='order'><option value='rising'>least sure first</option>"
           "<option value='falling'>surest first</option><option value='path'>by path</option>"
           "</select></label><span id='count' role='status'></span></div>\n";
  }

  std::string pictures() const {
    if (evaluation_.label.empty()) {
      return "<section class='card'><p class='lead'>No picture could be named.</p></section>\n";
    }
    std::string out = "<section class='card'><h2>Pictures</h2>\n<p class='lead'>";
    if (shown_.size() == evaluation_.label.size()) {
      out += "All " + number(shown_.size()) + ", least sure first.";
    } else {
      out += number(shown_.size()) + " of " + number(evaluation_.label.size()) +
             (known_ > 0 ? ": those with a wrong answer before others, and the least sure before "
                           "surer ones."
                         : ": the least sure.") +
             " The program's output has all.";
    }
    if (top_k_ > kMostAnswers) {
      out += " Of " + std::to_string(top_k_) + " answers to a picture the first " +
             std::to_string(kMostAnswers) + ".";
    }
    out += "</p>\n" + tools() + "<ul class='predictions' id='pictures'>\n";
    for (const std::size_t i : order_) out += items_[i];
    return out + "</ul></section>\n";
  }

  const PredictionGallery& gallery_;
  const Evaluation& evaluation_;
  std::size_t top_k_;
  std::vector<std::size_t> shown_;  ///< places, as chosen
  std::vector<std::string> items_;  ///< their HTML
  std::vector<std::size_t> order_;  ///< of those, least sure first
  std::size_t known_ = 0;
  std::size_t right_ = 0;
};

}  // namespace

std::string prediction_gallery_page(const PredictionGallery& gallery) {
  return Writer(gallery).page();
}

}  // namespace casvit::trainer
