#include "trainer/parallel/gradient_reducer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "trainer/parallel/element_of.h"

namespace casvit::trainer {
namespace {

constexpr std::int64_t kTailElementBytes = 4;

at::Tensor typed(const at::Tensor& bytes, std::int64_t begin, std::int64_t length,
                 at::ScalarType type) {
  return bytes.narrow(0, begin, length).view(type);
}

bool is_power_of_two(std::int64_t value) { return value > 0 && (value & (value - 1)) == 0; }

class Hook : public torch::autograd::FunctionPostHook {
 public:
  explicit Hook(std::function<void()> call) : call_(std::move(call)) {}
  torch::autograd::variable_list operator()(const torch::autograd::variable_list& outputs,
                                            const torch::autograd::variable_list&) override {
    call_();
    return outputs;
  }

 private:
  std::function<void()> call_;
};

}  // namespace

/// Calls back after each parameter's gradient was accumulated.
class GradientReducer::Hooks {
 public:
  Hooks(const std::vector<at::Tensor>& parameters, GradientReducer& reducer) {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      if (!parameters[i].requires_grad()) {
        continue;
      }
      std::shared_ptr<torch::autograd::Node> node =
          torch::autograd::impl::grad_accumulator(parameters[i]);
      const std::uintptr_t key =
          node->add_post_hook(std::make_unique<Hook>([&reducer, i] { reducer.on_gradient(i); }));
      // A parameter refers to its accumulator weakly: the hook lives as long as we hold it.
      installed_.push_back({std::move(node), key});
    }
  }
  ~Hooks() {
    for (const auto& [node, key] : installed_) {
      node->del_post_hook(key);
    }
  }
  Hooks(const Hooks&) = delete;
  Hooks& operator=(const Hooks&) = delete;

 private:
  struct Installed {
    std::shared_ptr<torch::autograd::Node> node;
    std::uintptr_t key;
  };
  std::vector<Installed> installed_;
};

GradientReducer::GradientReducer(std::vector<at::Tensor> parameters, std::int64_t tail_elements,
                                 launch::Communicator& communicator, const ReducerOptions& options)
    : parameters_(std::move(parameters)),
      tail_elements_(tail_elements),
      communicator_(communicator),
      options_(options) {
  std::vector<std::size_t> last_first(parameters_.size());
  for (std::size_t i = 0; i < last_first.size(); ++i) {
    last_first[i] = last_first.size() - 1 - i;
    parameters_[i].requires_grad_(options_.frozen.empty() || !options_.frozen[i]);
  }
  adopt(last_first);
  hooks_ = std::make_unique<Hooks>(parameters_, *this);
}

GradientReducer::~GradientReducer() = default;

void GradientReducer::adopt(const std::vector<std::size_t>& order) {
  const at::NoGradGuard no_grad;
  std::vector<BucketLayout::Parameter> sizes;
  for (const at::Tensor& parameter : parameters_) {
    sizes.push_back(
        {static_cast<std::int64_t>(parameter.nbytes()), static_cast<int>(parameter.scalar_type())});
  }
  layout_ = BucketLayout::make(sizes, order,
                               {options_.bucket_bytes, options_.first_bucket_bytes,
                                options_.scatter ? communicator_.size() : 1});
  sums_ = at::zeros({layout_.length + tail_elements_ * kTailElementBytes},
                    at::TensorOptions().dtype(at::kByte).device(parameters_.front().device()));
  gradients_ = sums_.narrow(0, 0, layout_.length);
  tail_ = typed(sums_, layout_.length, tail_elements_ * kTailElementBytes, at::kFloat);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    at::Tensor& parameter = parameters_[i];
    parameter.mutable_grad() =
        typed(sums_, layout_.offset[i], sizes[i].bytes, parameter.scalar_type())
            .view(parameter.sizes());
  }
  schedule_ = BucketSchedule(layout_);
  spare_.clear();
}

void GradientReducer::rearrange(std::int64_t bucket_bytes) {
  std::vector<std::int64_t> mine(arrival_.begin(), arrival_.end());
  mine.push_back(bucket_bytes);
  at::Tensor agreed = at::tensor(mine);
  if (communicator_.on_device()) {
    agreed = agreed.to(sums_.device());
  }
  communicator_.announce("the order of gradients");
  communicator_
      .broadcast(agreed.mutable_data_ptr(), mine.size(), launch::ElementType::kInt64, /*root=*/0)
      .wait();
  communicator_.synchronize();
  agreed = agreed.cpu();
  const auto* first = agreed.const_data_ptr<std::int64_t>();
  options_.bucket_bytes = first[arrival_.size()];
  adopt({first, first + arrival_.size()});
}

void GradientReducer::start_step(std::int64_t shards) {
  if (options_.reproducible &&
      !(is_power_of_two(shards) && is_power_of_two(communicator_.size()))) {
    throw std::invalid_argument("a reproducible sum needs powers of two of shards and ranks");
  }
  shards_ = shards;
  shard_ = -1;
  exchanges_.clear();
  schedule_.start();
  sums_.zero_();
}

void GradientReducer::start_shard() {
  if (shard_ >= 0 && options_.reproducible) {
    put_shard_aside();
  }
  ++shard_;
}

void GradientReducer::put_shard_aside() {
  const at::NoGradGuard no_grad;
  Subtree done;
  if (spare_.empty()) {
    done.sums = sums_.clone();
  } else {
    done.sums = std::move(spare_.back());
    spare_.pop_back();
    done.sums.copy_(sums_);
  }
  sums_.zero_();
  while (!subtrees_.empty() && subtrees_.back().level == done.level) {
    Subtree lower = std::move(subtrees_.back());
    subtrees_.pop_back();
    for (std::size_t bucket = 0; bucket < layout_.buckets.size(); ++bucket) {
      part(lower.sums, bucket).add_(part(done.sums, bucket));
    }
    part(lower.sums, std::nullopt).add_(part(done.sums, std::nullopt));
    ++lower.level;
    spare_.push_back(std::move(done.sums));
    done = std::move(lower);
  }
  subtrees_.push_back(std::move(done));
}

void GradientReducer::on_gradient(std::size_t parameter) {
  if (shard_ + 1 < shards_) {
    return;
  }
  if (learning_) {
    arrival_.push_back(parameter);
  }
  launch_buckets(schedule_.arrived(parameter));
}

void GradientReducer::launch_buckets(const BucketSchedule::Range& range) {
  for (std::size_t bucket = range.begin; bucket < range.end; ++bucket) {
    if (!is_frozen(bucket)) {
      exchange(bucket);
    }
  }
}

bool GradientReducer::is_frozen(std::size_t bucket) const {
  return std::ranges::none_of(layout_.buckets[bucket].parameters, [this](std::size_t parameter) {
    return parameters_[parameter].requires_grad();
  });
}

/// A bucket, or the tail, of a vector of bytes that is laid out as `sums_`.
at::Tensor GradientReducer::part(const at::Tensor& bytes, std::optional<std::size_t> bucket) const {
  if (!bucket) {
    return typed(bytes, layout_.length, tail_elements_ * kTailElementBytes, at::kFloat);
  }
  const BucketLayout::Bucket& its = layout_.buckets[*bucket];
  return typed(bytes, its.begin, its.length, static_cast<at::ScalarType>(its.type));
}

void GradientReducer::exchange(std::optional<std::size_t> bucket) {
  const at::NoGradGuard no_grad;
  const at::Tensor sums = part(sums_, bucket);
  // The last shard's sums take the subtrees before it, the nearest first.
  for (std::size_t i = subtrees_.size(); i-- > 0;) {
    sums.add_(part(subtrees_[i].sums, bucket));
  }
  Exchange& exchange = exchanges_.emplace_back();
  exchange.bucket = bucket;
  if (communicator_.size() > 1) {
    issue(exchange, sums);
  }
}

void GradientReducer::issue(Exchange& exchange, at::Tensor sums) {
  const bool narrow =
      exchange.bucket && options_.bfloat16_transport && sums.scalar_type() == at::kFloat;
  const bool moves = !communicator_.on_device() && !sums.is_cpu();
  if (narrow || moves) {
    sums = exchange.transported = sums.to(moves ? at::Device(at::kCPU) : sums.device(),
                                          narrow ? at::kBFloat16 : sums.scalar_type());
  }
  const launch::ReduceOp op =
      options_.reproducible ? launch::ReduceOp::kTreeSum : launch::ReduceOp::kSum;
  const launch::ElementType element = element_of(sums.scalar_type());
  exchange.span.name = describe(exchange.bucket);
  exchange.span.bytes = static_cast<std::int64_t>(sums.nbytes());
  communicator_.announce(exchange.span.name);
  exchange.span.begin = std::chrono::steady_clock::now();
  if (exchange.bucket && options_.scatter) {
    const std::int64_t length = sums.numel() / communicator_.size();
    const at::Tensor own = sums.narrow(0, communicator_.rank() * length, length);
    exchange.completion =
        communicator_.reduce_scatter(sums.const_data_ptr(), own.mutable_data_ptr(),
                                     static_cast<std::size_t>(length), element, op);
  } else {
    exchange.completion = communicator_.all_reduce(
        sums.mutable_data_ptr(), static_cast<std::size_t>(sums.numel()), element, op);
  }
}

std::string GradientReducer::describe(std::optional<std::size_t> bucket) const {
  if (!bucket) {
    return "batch statistics and the loss";
  }
  const std::size_t first = layout_.buckets[*bucket].parameters.front();
  const std::string name =
      first < options_.names.size() ? options_.names[first] : "parameter " + std::to_string(first);
  return "gradients from " + name + " on (bucket " + std::to_string(*bucket) + ")";
}

void GradientReducer::finish() {
  if (shard_ + 1 != shards_) {
    throw std::logic_error("GradientReducer::finish before the last shard");
  }
  launch_buckets(schedule_.rest());  // parameters that no gradient reached
  exchange(std::nullopt);
  for (Subtree& subtree : subtrees_) {
    spare_.push_back(std::move(subtree.sums));
  }
  subtrees_.clear();

  const at::NoGradGuard no_grad;
  for (Exchange& exchange : exchanges_) {
    exchange.completion.wait();
    exchange.span.end = std::chrono::steady_clock::now();
    if (exchange.transported.defined()) {
      part(sums_, exchange.bucket).copy_(exchange.transported);
      exchange.transported.reset();
    }
  }
  if (learning_) {
    complete_arrival();
  }
}

std::vector<ExchangeSpan> GradientReducer::exchanges() const {
  std::vector<ExchangeSpan> spans;
  if (communicator_.size() == 1) {
    return spans;
  }
  for (const Exchange& exchange : exchanges_) {
    ExchangeSpan& span = spans.emplace_back(exchange.span);
    span.end = exchange.completion.completed_at().value_or(span.end);
  }
  return spans;
}

/// Parameters that the first step did not use come last, in the first layout's order.
void GradientReducer::complete_arrival() {
  learning_ = false;
  std::vector<bool> arrived(parameters_.size(), false);
  for (const std::size_t i : arrival_) {
    arrived[i] = true;
  }
  for (std::size_t i = parameters_.size(); i-- > 0;) {
    if (!arrived[i]) {
      arrival_.push_back(i);
    }
  }
}

}  // namespace casvit::trainer
