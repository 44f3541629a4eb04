// SPDX-License-Identifier: Apache-2.0
//
// bench_cost [--json] [--check DOCUMENT | --write DOCUMENT --to FILE] [CASE...]: see docs/cost.md. Exit status: 0, 1
// (an error, or figures that differ), 77 (the document's figures are another kernel's or another QEMU's).
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/utsname.h>

#include "cost/cases.hpp"
#include "cost/table.hpp"

namespace beeline::cost {
namespace {

struct Options {
    bool json = false;
    std::string check, write, to;
    std::vector<std::string> words;
};

/// Kernel and emulator. The latter's name comes by the environment, for nothing in the guest tells it.
Result<std::string> measured_on() {
    const char *qemu = std::getenv("BEELINE_ICOUNT");
    if (qemu == nullptr)
        return fail(Kind::usage, 0, "here a nanosecond is no instruction", "say ./run vm bench");
    utsname names{};
    if (::uname(&names) != 0)
        return fail_errno(errno, "ask for the kernel's name");
    return fmt::format("Linux {}, {}", names.release, qemu);
}

Result<std::string> read_file(const std::string &path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file)
        return fail(Kind::host, 0, "cannot read " + path);
    return text.str();
}

Result<> write_file(const std::string &path, const std::string &text) {
    std::ofstream file(path);
    file << text << std::flush;
    if (!file)
        return fail(Kind::host, 0, "cannot write " + path);
    return {};
}

/// Rows that were not asked for keep their figures, if those are of the same kernel.
Result<> write(const Options &options, Table measured) {
    BL_TRY(const std::string document, read_file(options.write));
    if (!options.words.empty()) {
        BL_TRY(Table table, read_table(document));
        if (table.measured_on != measured.measured_on)
            return fail(Kind::usage, 0, "the other figures are of " + table.measured_on, "measure all cases");
        for (Line &line : measured.lines) {
            const auto old = std::ranges::find_if(table.lines, [&line](const Line &other) {
                return other.name == line.name && other.subject == line.subject;
            });
            if (old != table.lines.end())
                *old = std::move(line);
            else
                table.lines.push_back(std::move(line));
        }
        measured = std::move(table);
    }
    BL_TRY(const std::string changed, replace_table(document, measured));
    return write_file(options.to, changed);
}

Result<int> check(const Options &options, const Table &measured) {
    BL_TRY(const std::string document, read_file(options.check));
    BL_TRY(const Table documented, read_table(document));
    if (documented.measured_on != measured.measured_on) {
        fmt::print(stderr, "cost: skipped: documented are figures of {}, these are of {}; ./run vm bench --write\n",
                   documented.measured_on, measured.measured_on);
        return 77;
    }
    const auto found = differences(documented, measured, options.words.empty());
    for (const std::string &difference : found)
        fmt::print(stderr, "cost: FAILED: {}\n", difference);
    return found.empty() ? 0 : 1;
}

Result<int> run(const Options &options) {
    BL_TRY(std::string on, measured_on());
    BL_TRY(const auto rows, measure(options.words));
    const Table table = table_of(std::move(on), rows);
    if (options.json)
        for (const lab::Row &row : rows)
            fmt::print("{}\n", lab::to_json(row).dump());
    else
        fmt::print("{}", to_text(table));
    std::fflush(stdout);
    if (!options.write.empty())
        BL_CHECK(write(options, table));
    return options.check.empty() ? 0 : check(options, table);
}

} // namespace
} // namespace beeline::cost

int main(int argc, char **argv) {
    beeline::cost::Options options;
    CLI::App app("What things cost in instructions: docs/cost.md");
    app.add_flag("--json", options.json, "One object a line");
    auto *check = app.add_option("--check", options.check, "Compare with the figures of this document");
    auto *write = app.add_option("--write", options.write, "Put the figures into this document")->excludes(check);
    auto *to = app.add_option("--to", options.to, "The changed document goes here")->needs(write);
    write->needs(to);
    app.add_option("CASE", options.words, "Part of a case's or a subject's name");
    CLI11_PARSE(app, argc, argv);
    const auto status = beeline::cost::run(options);
    if (!status) {
        fmt::print(stderr, "cost: {}\n", status.error().message());
        return static_cast<int>(status.error().kind);
    }
    return *status;
}
