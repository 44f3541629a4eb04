// SPDX-License-Identifier: Apache-2.0
//
// The built program, or another one, as a child process, in a network namespace.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include <beeline/kernel/fd.hpp>

namespace beeline::cli_test {

struct How {
    std::string program = {};          ///< Path of another one; empty: beeline.
    std::optional<int> netns = {};     ///< Descriptor of the namespace; not set: that of the test.
    std::optional<uid_t> uid = {};     ///< Becomes this user (and group), without capabilities.
    bool terminal = false;             ///< Standard output is a terminal of 24 lines and 80 columns.
    std::vector<std::string> env = {}; ///< "NAME=value", on top of the test's.
    std::chrono::seconds limit{60};    ///< Of run_program(): it is killed after this.
};

struct Ended {
    int status = -1; ///< Exit status; 128 + signal when one ended it.
    std::string out, err;
};

/// Runs it to its end.
[[nodiscard]] Ended run_program(const std::vector<std::string> &arguments, const How &how = {});

/// Runs until destroyed (killed) or ended.
class Background {
public:
    Background(const std::vector<std::string> &arguments, const How &how);
    Background(const Background &) = delete;
    Background &operator=(const Background &) = delete;
    ~Background();

    [[nodiscard]] pid_t pid() const { return pid_; }
    void signal(int number) const;
    /// Waits for its end: the exit status as in Ended. Kills it after a minute.
    int wait();
    /// All that it wrote on standard error (and output) so far.
    [[nodiscard]] std::string log();
    /// Waits until log() holds text; false after timeout.
    [[nodiscard]] bool logged(const std::string &text, std::chrono::seconds timeout = std::chrono::seconds(30));
    /// Writes into its standard input (its terminal, when it has one).
    void type(const std::string &keys) const;

private:
    pid_t pid_ = -1;
    kernel::UniqueFd output_;
    std::string log_;
};

} // namespace beeline::cli_test
