// SPDX-License-Identifier: Apache-2.0
#include "live/record.hpp"

#include <beeline/kernel/text_map.hpp>

namespace beeline::live {
namespace {

using nlohmann::json;

constexpr const char *kRemedy = "take it down with `beeline down`, then bring it up again";

std::string place_of(const std::filesystem::path &directory) {
    return "state pinned in " + directory.string();
}

} // namespace

Error damaged(Error error, const std::filesystem::path &directory) {
    if (error.kind == Kind::permission)
        return error;
    error.kind = Kind::state;
    error.remedy = kRemedy;
    return std::move(error).within(place_of(directory) + " is damaged");
}

Error damaged_record(const std::filesystem::path &directory) {
    return fail(Kind::state, 0, place_of(directory) + " is damaged", kRemedy).error();
}

std::string text_of(const json &record) {
    return record.dump(-1, ' ', true, json::error_handler_t::replace);
}

Result<json> read_record(const char *pin, const std::filesystem::path &directory) {
    const auto text = kernel::pinned_text(pin, directory / pin);
    if (!text)
        return std::unexpected(damaged(text.error(), directory));
    try {
        json record = json::parse(*text);
        const auto abi = record.at("abi").get<std::uint32_t>();
        if (abi != BL_ABI_VERSION)
            return fail(Kind::state, 0,
                        place_of(directory) + " is of ABI version " + std::to_string(abi) + ", this program speaks " +
                            std::to_string(BL_ABI_VERSION),
                        kRemedy);
        return record;
    } catch (const json::exception &) {
        return std::unexpected(damaged_record(directory));
    }
}

} // namespace beeline::live
