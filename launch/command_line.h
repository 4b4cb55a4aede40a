#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): as CLI11 spells it
class App;
class Option;
}  // namespace CLI

/// Command lines, by CLI11: grammar, help and messages are its own. Its header takes half a minute
/// to compile, and only command_line.cpp includes it.
namespace casvit::launch {

/// A mistake in what was typed. The message names the option and says what is wrong with it.
/// Exit 2.
class CommandLineError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

template <typename T, typename... Choices>
concept OneOf = (std::same_as<T, Choices> || ...);

/// What an option can be read into. A vector takes one or more values.
template <typename T>
concept OptionValue = OneOf<T, int, unsigned, std::int64_t, std::uint64_t, double, std::string,
                            std::optional<std::string>, std::vector<float>,
                            std::vector<std::uint64_t>, std::vector<std::string>>;

/// An option that was declared: a handle, valid while a handle of its command line is. What is said
/// of values is checked by CommandLine::parse; each returns the handle again.
class Option {
 public:
  Option required();
  /// Both ends included.
  template <OneOf<int, std::int64_t, double> Number>
  Option range(Number least, Number most);
  Option positive();
  Option not_negative();
  Option one_of(const std::vector<std::string>& words);
  /// As many values, no fewer and no more.
  Option values(int count);
  /// One word can hold several values, with `separator` between them.
  Option separated_by(char separator);
  /// Of a vector: one value each time that the option is given, and it can be given several times.
  Option one_value_each_time();
  /// Refused where `other` is not given.
  Option needs(Option other);
  /// Refused where `other` is given, and the other way round.
  Option excludes(Option other);
  /// What stands for the value in help, where its type would say too little.
  Option value_name(const std::string& name);
  /// Help shows what the variable holds now.
  Option show_default();
  /// After parsing.
  bool given() const;

 private:
  friend class CommandLine;
  explicit Option(CLI::Option* option) : option_(option) {}

  CLI::Option* option_;
};

/// The command line of a program, or of one of its subcommands: a handle, whose copies mean the
/// same one. Options stand in help in the order in which they were declared. Variables that are
/// read into outlive parsing, and keep their value where their option is not given.
class CommandLine {
 public:
  /// @param description what help begins with
  /// @param name in help; empty: as the program was called
  explicit CommandLine(const std::string& description, const std::string& name = "");

  /// @param names "-o,--output"; without dashes an argument is meant that is known by its place
  template <OptionValue Value>
  Option option(const std::string& names, Value& value, const std::string& help = "");
  /// @param names "--json"; "!--no-json" sets `value` to false
  Option flag(const std::string& names, bool& value, const std::string& help = "");
  /// Prints `text` and ends, as help does. `text` is called only then.
  void version_flag(const std::string& names, std::function<std::string()> text,
                    const std::string& help = "Display program version information and exit");

  /// Takes footer, help_column and describe_subcommands from this one as they are now.
  CommandLine subcommand(const std::string& name, const std::string& description);
  /// In the order in which they were declared.
  std::vector<CommandLine> subcommands() const;
  /// Exactly one of the subcommands has to be given.
  void require_subcommand();

  /// What help ends with.
  void footer(const std::string& text);
  /// Where help's explanations begin, in characters.
  void help_column(int column);
  /// `describe` makes the lines that list subcommands in help, each ending in "\n".
  using Describe =
      std::function<std::string(const std::string& name, const std::string& description)>;
  void describe_subcommands(Describe describe);
  /// Of a subcommand: its own help begins with `text`, and lists keep its short description.
  void describe_when_asked(const std::string& text);

  /// `call` is called at the end of a parse in which this subcommand was given.
  void on_given(std::function<void()> call);
  /// After parsing: whether this subcommand was given.
  bool given() const;

  /// @param arguments without the program's name
  /// @return what is to be printed in place of running: help or the version, where it was asked for
  /// @throws CommandLineError
  std::optional<std::string> parse(std::vector<std::string> arguments);
  /// The same for a main() with nothing to add: prints help and mistakes itself.
  /// @return the exit code to end with (CLI11's own: 100 and more for mistakes), nothing where the
  /// program is to run
  std::optional<int> parse_or_print(int count, char** arguments);

 private:
  explicit CommandLine(std::shared_ptr<CLI::App> app) : app_(std::move(app)) {}

  std::shared_ptr<CLI::App> app_;  ///< of a subcommand: keeps the whole program's alive
};

}  // namespace casvit::launch
