// SPDX-License-Identifier: Apache-2.0
//
// Programs of others (nft, xdp-filter), run to their end with a bound on the time.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <beeline/result.hpp>

namespace beeline::kernel {

struct Command {
    std::vector<std::string> words;            ///< words[0] is looked up in PATH and the sbin folders.
    std::string input = {};                    ///< Its standard input.
    std::vector<std::string> environment = {}; ///< "NAME=value", on top of our own or in its place.
    std::chrono::milliseconds timeout = std::chrono::seconds(20);
    bool errors_apart = false; ///< Standard error is ours; else it is collected with the output.
};

struct Finished {
    int status = 0;          ///< Exit status; 128 + signal when one ended it.
    std::string output = {}; ///< Standard output, and error unless apart, as they came.
};

/// Runs it in the namespaces (network, mount) of the calling thread. A status other than 0 is no error here; being
/// killed at the timeout is.
[[nodiscard]] Result<Finished> run(const Command &command);

/// The same, and a status other than 0 is an error that ends with the last line the program printed.
[[nodiscard]] Result<std::string> run_checked(const Command &command);

/// Full path of an installed program.
[[nodiscard]] std::optional<std::string> find_program(const std::string &name);

} // namespace beeline::kernel
