// SPDX-License-Identifier: Apache-2.0
//
// The measurements of `bench edge`, apart from how they are shown.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <beeline/edge/program.hpp>

#include "lab/figures.hpp"
#include "lab/generator.hpp"
#include "lab/receivers.hpp"

namespace beeline::lab {

/// One thing that drops the frames.
struct Subject {
    std::string name;    ///< Row::name.
    std::string subject; ///< Row::subject.
    std::string label;   ///< For people.
    std::function<MadeReceiver()> make;
    std::uint64_t frames = 0; ///< Of one run.
};

/// The runs of one subject, by round; a round whose counts did not agree is NaN.
struct Series {
    std::vector<double> ns; ///< CPU time a frame, the generator's included.
    std::vector<double> mpps;
};

/// a(va) sends, b(vb) drops; IPv6 and ARP are silent, so that every frame is one of ours.
class [[nodiscard]] DropLab {
public:
    [[nodiscard]] static Result<std::unique_ptr<DropLab>> create(Lab &lab);

    [[nodiscard]] const Place &receiver() const { return receiver_; }
    [[nodiscard]] const Node &sender() const { return *sender_; }
    /// The frame that all subjects are measured with.
    [[nodiscard]] const std::vector<std::byte> &frame() const { return frame_; }

    /// The generator alone.
    [[nodiscard]] Result<Sent> send_nowhere(std::uint64_t frames) const;

    struct Run {
        Sent sent;
        std::uint64_t arrived = 0, dropped = 0;
        [[nodiscard]] bool agrees() const { return arrived == sent.frames && dropped == sent.frames; }
    };
    [[nodiscard]] Result<Run> measure(const Subject &subject) const;

private:
    DropLab(const Node &sender, Place receiver, std::vector<std::byte> frame, Generator send, Generator drop)
        : sender_(&sender), receiver_(std::move(receiver)), frame_(std::move(frame)), send_(std::move(send)),
          drop_(std::move(drop)) {}

    const Node *sender_;
    Place receiver_;
    std::vector<std::byte> frame_;
    Generator send_, drop_;
};

/// The program of an [edge] with these rules for the device of place.
[[nodiscard]] Result<edge::Program> load_policy(const std::vector<std::string> &rules, const Place &place,
                                                const edge::Kept &kept);
/// ns a run of the program on the lab's frame (BPF_PROG_TEST_RUN); another verdict than expected is an error.
[[nodiscard]] Result<double> time_program(int fd, const DropLab &lab, std::uint32_t repeat, std::uint32_t expected);

/// ns a packet of the loaded program alone (BPF_PROG_TEST_RUN), an empty program's time taken off, by verdict.
struct VerdictCosts {
    std::vector<double> empty; ///< The loop and `return XDP_PASS`.
    std::map<std::string, std::vector<double>> net;
};
[[nodiscard]] Result<VerdictCosts> measure_verdicts(const DropLab &lab, unsigned rounds, std::uint32_t repeat);

} // namespace beeline::lab
