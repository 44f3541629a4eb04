// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

namespace beeline::cli {
namespace {

std::string footer(const std::string &example) {
    std::string text = "Example:\n";
    for (std::size_t at = 0; at < example.size();) {
        const std::size_t end = std::min(example.find('\n', at), example.size());
        text += (end == at ? "" : "  ") + example.substr(at, end - at) + "\n";
        at = end + 1;
    }
    text.pop_back();
    return text;
}

} // namespace

Command &Command::required(const char *name, std::string &value, const char *help) {
    app_->add_option(name, value, help)->type_name("")->required();
    return *this;
}
Command &Command::argument(const char *name, std::string &value, const char *help) {
    app_->add_option(name, value, help)->type_name("");
    return *this;
}
Command &Command::arguments(const char *name, std::vector<std::string> &values, const char *help) {
    app_->add_option(name, values, help)->type_name("");
    return *this;
}
Command &Command::option(const char *name, const char *type, std::string &value, const char *help) {
    app_->add_option(name, value, help)->type_name(type);
    return *this;
}
Command &Command::option(const char *name, const char *type, std::vector<std::string> &values, const char *help) {
    app_->add_option(name, values, help)
        ->type_name(type)
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    return *this;
}
Command &Command::option(const char *name, const char *type, std::uint64_t &value, const char *help) {
    app_->add_option(name, value, help)->type_name(type);
    return *this;
}
Command &Command::option(const char *name, const char *type, unsigned &value, const char *help) {
    app_->add_option(name, value, help)->type_name(type);
    return *this;
}
Command &Command::option(const char *name, const char *type, std::optional<int> &value, const char *help) {
    app_->add_option(name, value, help)->type_name(type);
    return *this;
}
Command &Command::flag(const char *name, bool &value, const char *help) {
    app_->add_flag(name, value, help);
    return *this;
}

CLI::App *Commands::describe(CLI::App *parent, const std::string &name, const std::string &description,
                             const std::string &example) {
    CLI::App *app = parent->add_subcommand(name, description);
    app->footer(footer(example));
    app->fallthrough(); // -c and --pins may stand anywhere
    return app;
}

Command Commands::add(const std::string &name, const std::string &description, const std::string &example, Run run) {
    Command top(app_);
    return add_to(top, name, description, example, std::move(run));
}

Command Commands::add_group(const std::string &name, const std::string &description, const std::string &example) {
    CLI::App *app = describe(app_, name, description, example);
    app->require_subcommand(1);
    return Command(app);
}

Command Commands::add_to(Command &group, const std::string &name, const std::string &description,
                         const std::string &example, Run run) {
    CLI::App *app = describe(group.app_, name, description, example);
    app->callback([this, run = std::move(run)] { chosen_ = run; });
    return Command(app);
}

} // namespace beeline::cli
