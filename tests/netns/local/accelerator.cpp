// SPDX-License-Identifier: Apache-2.0
#include "accelerator.hpp"

#include <netns/local/naive.hpp>

namespace beeline::conformance {
namespace {

class PlainTcp : public Accelerator {
public:
    [[nodiscard]] bool has_short_cut() const override { return false; }
    [[nodiscard]] bool on_short_cut(int) const override { return false; }
    [[nodiscard]] std::string reason(int) const override { return "plain"; }
    [[nodiscard]] std::uint64_t redirected(int) const override { return 0; }
};

} // namespace

Result<std::unique_ptr<Accelerator>> Accelerator::start(Mode mode, const kernel::Cgroup &cgroup) {
    switch (mode) {
    case Mode::tcp:
        return std::make_unique<PlainTcp>();
    case Mode::naive:
        return start_naive(cgroup);
    case Mode::beeline:
        break;
    }
    return fail(Kind::unsupported, 0, "the local part is not built yet");
}

} // namespace beeline::conformance
