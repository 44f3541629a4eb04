// SPDX-License-Identifier: Apache-2.0
//
// What an application observed, in order.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace beeline::conformance {

/// As the parent of a row has it in the end.
struct Transcript {
    std::vector<std::string> notes; ///< Must equal those of plain TCP.
    /// Bytes taken without a reader, by name: at most 1.1 times plain TCP's.
    std::map<std::string, std::uint64_t> amounts;
    std::vector<std::string> paths; ///< Of each connection the row settled: "short cut", or "TCP: " and the reason.
    std::string skipped;            ///< Not empty: this kernel cannot, and why.
    std::string end;                ///< "done", "hangs", "signal N", "stopped".

    /// For a message: all of it.
    [[nodiscard]] std::string text() const;
};

/// The writing end, in the row's child. Each line goes out at once, so what a hung row did is known. One thread.
class Notes {
public:
    explicit Notes(int fd) : fd_(fd) {}

    void note(const std::string &what) { line('N', what); }
    void amount(const std::string &name, std::uint64_t bytes);
    void path(const std::string &how) { line('P', how); }
    /// Ends the row: a call that the row only needs to get somewhere has failed. Gives errno.
    [[noreturn]] void stop(const std::string &what);
    /// Ends the row: this kernel lacks what it needs.
    [[noreturn]] void skip(const std::string &why);
    [[noreturn]] void done();

private:
    void line(char kind, const std::string &text);
    int fd_;
};

/// The reading end: everything that was written, without `end`.
[[nodiscard]] Transcript parse(const std::string &written);

/// "EAGAIN"; numbers that rows do not meet stay numbers.
[[nodiscard]] std::string error_name(int code);
/// "= 5", or "= EAGAIN" by errno.
[[nodiscard]] std::string result(long value);
/// "IN RDHUP"; EPOLL* are the same bits.
[[nodiscard]] std::string event_names(unsigned events);

} // namespace beeline::conformance
