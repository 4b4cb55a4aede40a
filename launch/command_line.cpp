#include "launch/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

namespace casvit::launch {
namespace {

/// Lists subcommands as the program describes them.
class SubcommandFormatter : public CLI::Formatter {
 public:
  explicit SubcommandFormatter(CommandLine::Describe describe) : describe_(std::move(describe)) {}

  std::string make_subcommand(const CLI::App* subcommand) const override {
    return describe_(subcommand->get_name(), subcommand->get_description());
  }

 private:
  CommandLine::Describe describe_;
};

}  // namespace

Option Option::required() { return Option(option_->required()); }

template <OneOf<int, std::int64_t, double> Number>
Option Option::range(Number least, Number most) {
  return Option(option_->check(CLI::Range(least, most)));
}

template Option Option::range(int, int);
template Option Option::range(std::int64_t, std::int64_t);
template Option Option::range(double, double);

Option Option::positive() { return Option(option_->check(CLI::PositiveNumber)); }

Option Option::not_negative() { return Option(option_->check(CLI::NonNegativeNumber)); }

Option Option::one_of(const std::vector<std::string>& words) {
  return Option(option_->check(CLI::IsMember(words)));
}

Option Option::values(int count) { return Option(option_->expected(count)); }

Option Option::separated_by(char separator) { return Option(option_->delimiter(separator)); }

Option Option::one_value_each_time() { return Option(option_->allow_extra_args(false)); }

Option Option::needs(Option other) { return Option(option_->needs(other.option_)); }

Option Option::excludes(Option other) { return Option(option_->excludes(other.option_)); }

Option Option::value_name(const std::string& name) { return Option(option_->type_name(name)); }

Option Option::show_default() { return Option(option_->capture_default_str()); }

bool Option::given() const { return option_->count() > 0; }

CommandLine::CommandLine(const std::string& description, const std::string& name)
    : app_(std::make_shared<CLI::App>(description, name)) {}

template <OptionValue Value>
Option CommandLine::option(const std::string& names, Value& value, const std::string& help) {
  return Option(app_->add_option(names, value, help));
}

template Option CommandLine::option(const std::string&, int&, const std::string&);
template Option CommandLine::option(const std::string&, unsigned&, const std::string&);
template Option CommandLine::option(const std::string&, std::int64_t&, const std::string&);
template Option CommandLine::option(const std::string&, std::uint64_t&, const std::string&);
template Option CommandLine::option(const std::string&, double&, const std::string&);
template Option CommandLine::option(const std::string&, std::string&, const std::string&);
template Option CommandLine::option(const std::string&, std::optional<std::string>&,
                                    const std::string&);
template Option CommandLine::option(const std::string&, std::vector<float>&, const std::string&);
template Option CommandLine::option(const std::string&, std::vector<std::uint64_t>&,
                                    const std::string&);
template Option CommandLine::option(const std::string&, std::vector<std::string>&,
                                    const std::string&);

Option CommandLine::flag(const std::string& names, bool& value, const std::string& help) {
  return Option(app_->add_flag(names, value, help));
}

void CommandLine::version_flag(const std::string& names, std::function<std::string()> text,
                               const std::string& help) {
  app_->set_version_flag(names, std::move(text), help);
}

CommandLine CommandLine::subcommand(const std::string& name, const std::string& description) {
  return CommandLine(std::shared_ptr<CLI::App>(app_, app_->add_subcommand(name, description)));
}

std::vector<CommandLine> CommandLine::subcommands() const {
  std::vector<CommandLine> subcommands;
  for (CLI::App* subcommand : app_->get_subcommands({})) {
    subcommands.push_back(CommandLine(std::shared_ptr<CLI::App>(app_, subcommand)));
  }
  return subcommands;
}

void CommandLine::require_subcommand() { app_->require_subcommand(1); }

void CommandLine::footer(const std::string& text) { app_->footer(text); }

void CommandLine::help_column(int column) {
  app_->get_formatter()->column_width(static_cast<std::size_t>(column));
}

void CommandLine::describe_subcommands(Describe describe) {
  app_->formatter(std::make_shared<SubcommandFormatter>(std::move(describe)));
}

void CommandLine::describe_when_asked(const std::string& text) {
  // By address: the command line would otherwise keep itself alive.
  CLI::App* app = app_.get();
  app->preparse_callback([app, text](std::size_t) { app->description(text); });
}

void CommandLine::on_given(std::function<void()> call) { app_->callback(std::move(call)); }

bool CommandLine::given() const { return app_->count() > 0; }

std::optional<std::string> CommandLine::parse(std::vector<std::string> arguments) {
  std::reverse(arguments.begin(), arguments.end());  // the order that CLI11 takes them in
  try {
    app_->parse(std::move(arguments));
  } catch (const CLI::Success& asked) {
    std::ostringstream text;
    app_->exit(asked, text, text);
    return text.str();
  } catch (const CLI::ParseError& error) {
    throw CommandLineError(error.what());
  }
  return std::nullopt;
}

std::optional<int> CommandLine::parse_or_print(int count, char** arguments) {
  try {
    app_->parse(count, arguments);
  } catch (const CLI::ParseError& error) {  // help is one, too
    return app_->exit(error);
  }
  return std::nullopt;
}

}  // namespace casvit::launch
