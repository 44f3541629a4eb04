// SPDX-License-Identifier: Apache-2.0
#include <harness/model_rewrite.hpp>

#include <algorithm>

#include <linux/bpf.h>

#include <beeline/edge.h>

#include <harness/packet_sum.hpp>

namespace beeline::model {

namespace {

using edge::Family;
using edge::Verdict;
using harness::ones_sum;

constexpr std::uint8_t kTcp = 6, kUdp = 17, kDccp = 33, kIcmp6 = 58, kSctp = 132, kUdpLite = 136;

/// The frame with the places of its headers.
class Frame {
public:
    Frame(View bytes, const Fields &fields) : bytes_(bytes.begin(), bytes.end()), fields_(fields) {
        if (!fields.ip || !fields.segment)
            return;
        switch (fields.ip->proto) {
        case kTcp:
            check_ = fields.segment->at + 16;
            break;
        case kUdp:
        case kUdpLite:
        case kDccp:
            check_ = fields.segment->at + 6;
            break;
        case kIcmp6:
            check_ = fields.segment->at + 2;
            break;
        default:
            break;
        }
    }

    [[nodiscard]] Bytes take() { return std::move(bytes_); }
    [[nodiscard]] bool has_check() const { return check_ != 0; }
    [[nodiscard]] std::uint16_t check() const { return word(check_); }
    void set_check(std::uint16_t value) { put_word(check_, value); }
    [[nodiscard]] bool udp_like() const { return fields_.ip->proto == kUdp || fields_.ip->proto == kUdpLite; }

    [[nodiscard]] std::uint16_t pseudo() const {
        const bool v4 = fields_.ip->family == Family::v4;
        return harness::pseudo_sum(View(bytes_).subspan(fields_.ip->at + (v4 ? 12 : 8), v4 ? 8 : 32), fields_.ip->proto,
                                   fields_.segment->size);
    }
    /// Sum over everything the checksum covers, pseudo-header and the field itself included: 0xffff is right.
    [[nodiscard]] std::uint16_t total() const {
        return ones_sum(View(bytes_).subspan(fields_.segment->at, fields_.segment->size), pseudo());
    }
    /// Of a header whose options are cut, over those that are there: the rest cancels out.
    [[nodiscard]] std::uint16_t ip_total() const {
        const View rest = View(bytes_).subspan(fields_.ip->at);
        return ones_sum(rest.first(std::min<std::size_t>((byte(fields_.ip->at) % 16) * 4u, rest.size())));
    }

    [[nodiscard]] std::uint8_t byte(std::size_t at) const { return std::to_integer<std::uint8_t>(bytes_[at]); }
    [[nodiscard]] std::uint16_t word(std::size_t at) const {
        return static_cast<std::uint16_t>(byte(at) * 256 + byte(at + 1));
    }
    void put_byte(std::size_t at, std::uint8_t value) { bytes_[at] = std::byte{value}; }
    void put_word(std::size_t at, std::uint16_t value) {
        put_byte(at, static_cast<std::uint8_t>(value / 256));
        put_byte(at + 1, static_cast<std::uint8_t>(value % 256));
    }
    void put(std::size_t at, std::span<const std::uint8_t> values) {
        for (std::uint8_t value : values)
            put_byte(at++, value);
    }
    void swap(std::size_t a, std::size_t b, std::size_t size) {
        std::swap_ranges(bytes_.begin() + static_cast<std::ptrdiff_t>(a),
                         bytes_.begin() + static_cast<std::ptrdiff_t>(a + size),
                         bytes_.begin() + static_cast<std::ptrdiff_t>(b));
    }

private:
    Bytes bytes_;
    const Fields &fields_;
    std::size_t check_ = 0;
};

enum class State { none, complete, partial };

State state_of(const Frame &frame, const Fields &fields) {
    if (!frame.has_check() || (frame.udp_like() && frame.check() == 0))
        return State::none;
    const std::uint8_t proto = fields.ip->proto;
    const bool may_be_partial = !fields.ip->fragment && (proto == kTcp || proto == kUdp || proto == kIcmp6);
    if (may_be_partial && frame.check() == frame.pseudo() && frame.total() != 0xffff)
        return State::partial;
    return State::complete;
}

/// The value for a checksum field so that the sum over everything, wanted before the change, is so again. A packet
/// that came with a wrong sum must not be made right: it was damaged.
std::uint16_t field_for(std::uint16_t wanted, std::uint16_t sum_with_zero) {
    // Ones' complement: wanted - sum_with_zero, modulo 0xffff, 0xffff standing for 0 where the sum was right.
    const std::uint32_t difference = (wanted % 0xffffu + 0xffffu - sum_with_zero % 0xffffu) % 0xffffu;
    return static_cast<std::uint16_t>(difference);
}

void rewrite_ip(Frame &frame, const edge::Rewrite &rewrite, const Fields::Ip &ip) {
    const bool v4 = ip.family == Family::v4;
    const std::uint16_t before = v4 ? frame.ip_total() : 0;
    const std::size_t source = ip.at + (v4 ? 12 : 8), size = v4 ? 4 : 16;
    if (rewrite.src)
        frame.put(source, std::span(rewrite.src->address).first(size));
    if (rewrite.dst)
        frame.put(source + size, std::span(rewrite.dst->address).first(size));
    if (rewrite.ttl)
        frame.put_byte(ip.at + (v4 ? 8 : 7), *rewrite.ttl);
    if (rewrite.dscp && v4)
        frame.put_byte(ip.at + 1, static_cast<std::uint8_t>(*rewrite.dscp * 4 + frame.byte(ip.at + 1) % 4));
    if (rewrite.dscp && !v4)
        frame.put_word(ip.at, static_cast<std::uint16_t>((frame.word(ip.at) & 0xf03f) | *rewrite.dscp * 64));
    if (v4 && (rewrite.src || rewrite.dst || rewrite.ttl || rewrite.dscp)) {
        frame.put_word(ip.at + 10, 0);
        frame.put_word(ip.at + 10, field_for(before, frame.ip_total()));
    }
}

void turn_round(Frame &frame, const Fields &fields) {
    frame.swap(0, 6, 6);
    if (fields.ip && fields.ip->family == Family::v4)
        frame.swap(fields.ip->at + 12, fields.ip->at + 16, 4);
    if (fields.ip && fields.ip->family == Family::v6)
        frame.swap(fields.ip->at + 8, fields.ip->at + 24, 16);
    if (fields.ports)
        frame.swap(fields.segment->at, fields.segment->at + 2, 2);
}

/// The L4 checksum after a rewrite. before: the sum over everything before it.
void settle(Frame &frame, State state, std::uint16_t before, bool keep_partial, std::uint32_t &reason) {
    if (state == State::partial && keep_partial) {
        frame.set_check(frame.pseudo());
        return;
    }
    if (state == State::partial)
        reason = BL_EDGE_R_CSUM_COMPLETED;
    frame.set_check(0);
    const std::uint16_t value = field_for(state == State::partial ? 0xffff : before, frame.total());
    frame.set_check(value == 0 && frame.udp_like() ? 0xffff : value);
}

/// Where the frame goes, before anything is changed in it.
std::uint32_t way_of(Verdict verdict, const Surroundings &around, std::uint32_t &reason) {
    const auto where = [&reason](bool there, std::uint32_t why, std::uint32_t otherwise) {
        reason = there ? BL_R_NONE : why;
        return there ? std::uint32_t{XDP_REDIRECT} : otherwise;
    };
    switch (verdict) {
    case Verdict::pass:
        return XDP_PASS;
    case Verdict::drop:
        return XDP_DROP;
    case Verdict::abort:
        return XDP_ABORTED;
    case Verdict::tx:
        return XDP_TX;
    case Verdict::redirect:
        return where(around.redirect_works, BL_EDGE_R_REDIRECT_FAILED, XDP_DROP);
    case Verdict::cpu:
        return where(around.cpu_works, BL_EDGE_R_CPU_FAILED, XDP_PASS);
    case Verdict::xsk:
        return where(around.xsk_listens, BL_EDGE_R_XSK_ABSENT, XDP_PASS);
    case Verdict::accelerate:
    case Verdict::tcp:
        break; // no words of the edge
    }
    std::abort();
}

} // namespace

Answer act(const edge::Action &action, View bytes, const Fields &fields, const Surroundings &around) {
    Answer answer;
    answer.xdp = way_of(action.verdict, around, answer.outcome);
    if (answer.xdp == XDP_DROP || answer.xdp == XDP_ABORTED)
        return answer;
    const auto dropped = [&answer](std::uint32_t reason) {
        answer.xdp = XDP_DROP;
        answer.outcome = reason;
        return answer;
    };
    const edge::Rewrite &rewrite = action.rewrite;
    const bool addresses = rewrite.src || rewrite.dst, ports = rewrite.sport || rewrite.dport;
    const bool tx = answer.xdp == XDP_TX;
    if (fields.reason != BL_R_NONE && (addresses || tx))
        return dropped(BL_EDGE_R_REWRITE_SHORT);
    if (fields.ports && fields.ip->proto == kSctp && (ports || tx))
        return dropped(BL_EDGE_R_CSUM_FAILED);

    Frame frame(bytes, fields);
    if (frame.has_check() && fields.ip->routed && (addresses || ports || tx))
        return dropped(BL_EDGE_R_CSUM_FAILED);
    const State state = state_of(frame, fields);
    const std::uint16_t before = frame.has_check() ? frame.total() : 0;
    if (rewrite.src_mac)
        frame.put(6, *rewrite.src_mac);
    if (rewrite.dst_mac)
        frame.put(0, *rewrite.dst_mac);
    if (fields.ip)
        rewrite_ip(frame, rewrite, *fields.ip);
    if (rewrite.sport)
        frame.put_word(fields.segment->at, *rewrite.sport);
    if (rewrite.dport)
        frame.put_word(fields.segment->at + 2, *rewrite.dport);

    const bool leaves = answer.xdp != XDP_PASS;
    const bool keeps_skb = !leaves || (around.generic && action.verdict != Verdict::xsk);
    if (state == State::partial || (state == State::complete && (addresses || ports)))
        settle(frame, state, before, keeps_skb, answer.outcome);
    if (tx)
        turn_round(frame, fields);
    answer.frame = frame.take();
    return answer;
}

} // namespace beeline::model
