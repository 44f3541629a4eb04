// SPDX-License-Identifier: Apache-2.0
//
// Packets in words, as `beeline explain` takes them: refused by an error that says something, or made into a frame.
// The same bytes as hexadecimal digits and as a frame, too.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include <beeline/edge/packet.hpp>

namespace {

void require(bool holds) {
    if (!holds)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    using namespace beeline;
    const std::string_view text(reinterpret_cast<const char *>(data), size);
    if (const Result<edge::PacketSpec> spec = edge::read_packet(text); spec) {
        const Result<std::vector<std::byte>> frame = edge::build_frame(*spec);
        require(frame ? frame->size() >= edge::kMinJudgedFrame && frame->size() <= edge::kMaxJudgedFrame
                      : !frame.error().what.empty());
        if (frame)
            require(!edge::describe(*frame).empty());
    } else {
        require(!spec.error().what.empty());
    }
    if (const Result<std::vector<std::byte>> bytes = edge::read_hex(text); bytes)
        require(!edge::describe(*bytes).empty());
    (void)edge::fields(std::as_bytes(std::span(data, size)));
    require(!edge::describe(std::as_bytes(std::span(data, size))).empty());
    return 0;
}
