// SPDX-License-Identifier: Apache-2.0
//
// Commands and their options. The library that reads the command line (CLI11) stays behind this header: it is large.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <beeline/result.hpp>

#include "cli/context.hpp"

namespace CLI { // NOLINT(readability-identifier-naming): theirs
class App;
}

namespace beeline::cli {

/// What a command does; its options are in the closure. The int is the exit status.
using Run = std::function<Result<int>(Context &)>;

/// One command being described. The values must outlive the command line's parsing.
class Command {
public:
    explicit Command(CLI::App *app) : app_(app) {}

    Command &required(const char *name, std::string &value, const char *help); ///< An argument that must be there.
    Command &argument(const char *name, std::string &value, const char *help); ///< One that may.
    Command &arguments(const char *name, std::vector<std::string> &values, const char *help);
    /// type: "FILE", "TIME"... as the help shows it.
    Command &option(const char *name, const char *type, std::string &value, const char *help);
    /// May be given several times, one value each.
    Command &option(const char *name, const char *type, std::vector<std::string> &values, const char *help);
    Command &option(const char *name, const char *type, std::uint64_t &value, const char *help);
    Command &option(const char *name, const char *type, unsigned &value, const char *help);
    Command &option(const char *name, const char *type, std::optional<int> &value, const char *help);
    Command &flag(const char *name, bool &value, const char *help);

private:
    friend class Commands;
    CLI::App *app_;
};

/// The command line being put together.
class Commands {
public:
    explicit Commands(CLI::App &app) : app_(&app) {}

    /// The example is shown by --help as it is, indented.
    Command add(const std::string &name, const std::string &description, const std::string &example, Run run);
    /// A command of commands, and those below it.
    Command add_group(const std::string &name, const std::string &description, const std::string &example);
    Command add_to(Command &group, const std::string &name, const std::string &description, const std::string &example,
                   Run run);
    /// Of the command that was given.
    [[nodiscard]] const Run &chosen() const { return chosen_; }

private:
    CLI::App *describe(CLI::App *parent, const std::string &name, const std::string &description,
                       const std::string &example);
    CLI::App *app_;
    Run chosen_;
};

// One for each file in this folder.
void add_doctor(Commands &commands);
void add_check(Commands &commands);
void add_plan(Commands &commands);
void add_up(Commands &commands);
void add_down(Commands &commands);
void add_status(Commands &commands);
void add_top(Commands &commands);
void add_explain(Commands &commands);
void add_replay(Commands &commands);
void add_set(Commands &commands);
void add_guest(Commands &commands);
void add_local(Commands &commands);
void add_lab(Commands &commands);
void add_run(Commands &commands);

} // namespace beeline::cli
