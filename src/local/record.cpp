// SPDX-License-Identifier: Apache-2.0
#include "local/record.hpp"

#include <beeline/kernel/text_map.hpp>

#include "live/record.hpp"
#include "local/objects.hpp"

namespace beeline::local {

using nlohmann::json;

Result<> write_record(const Record &record, const std::filesystem::path &directory) {
    json to = {{"abi", BL_ABI_VERSION},   {"file", record.file},
               {"since", record.since},   {"connections", record.connections},
               {"cgroup", record.cgroup}, {"trusted", record.trusted},
               {"digest", record.digest}, {"cgroups", record.cgroups}};
    live::add_rules(record.rules, to);
    return kernel::repin_text(kRecordPin, live::text_of(to), directory / kRecordPin);
}

Result<Record> read_record(const std::filesystem::path &directory) {
    return live::read_record<Record>(kRecordPin, directory, [](Record &record, const json &from) {
        from.at("file").get_to(record.file);
        from.at("since").get_to(record.since);
        from.at("connections").get_to(record.connections);
        from.at("cgroup").get_to(record.cgroup);
        from.at("trusted").get_to(record.trusted);
        from.at("digest").get_to(record.digest);
        from.at("cgroups").get_to(record.cgroups);
        live::read_rules(record.rules, from);
    });
}

} // namespace beeline::local
