// SPDX-License-Identifier: Apache-2.0
#include "unit/config/broken.hpp"

namespace beeline::config {
namespace {

const Broken kHost[] = {
    {"host = 5\n", {"c.toml:1:8: error: 'host' is an integer; expected a table"}},
    {"[host]\n"
     "pinz = \"/x\"\n",
     {"c.toml:2:1: error: unknown key 'pinz' in [host]; did you mean 'pins'?"}},
    {"[host]\n"
     "pins = \"relative\"\n",
     {"c.toml:2:9: error: 'pins' is not an absolute path; it begins with '/'"}},
    {"[host]\n"
     "pins = 5\n",
     {"c.toml:2:8: error: 'pins' in [host] is an integer; expected a string"}},
    {"[host]\n"
     "socket = \"\"\n",
     {"c.toml:2:11: error: 'socket' is not an absolute path; it begins with '/'"}},
    {"[host]\n"
     "group = \"\"\n",
     {"c.toml:2:10: error: 'group' is empty; leave it out: then the socket is root's alone"}},
    {"[host]\n"
     "metrics = \"localhost:9469\"\n",
     {"c.toml:2:12: error: 'localhost:9469' is no address with a port; expected address:port, for example "
      "127.0.0.1:9469 or [::1]:9469"}},
    {"[host]\n"
     "metrics = \"127.0.0.1\"\n",
     {"c.toml:2:12: error: '127.0.0.1' is no address with a port; expected address:port, for example 127.0.0.1:9469 or "
      "[::1]:9469"}},
    {"[host]\n"
     "metrics = \"127.0.0.1:0\"\n",
     {"c.toml:2:12: error: the port '0' is out of range; expected 1 to 65535"}},
    {"[host]\n"
     "metrics = \"::1:9469\"\n",
     {"c.toml:2:12: error: '::1:9469' is no address with a port; expected address:port, for example 127.0.0.1:9469 or "
      "[::1]:9469"}},
    {"[host]\n"
     "metrics = \"[127.0.0.1]:9469\"\n",
     {"c.toml:2:12: error: '[127.0.0.1]:9469' is no address with a port; expected address:port, for example "
      "127.0.0.1:9469 or [::1]:9469"}},
    {"[host]\n"
     "log = \"warn\"\n",
     {"c.toml:2:8: error: unknown log 'warn'; expected debug, info, warning, error; did you mean 'warning'?"}},
    {"[hosts]\n", {"c.toml:1:2: error: unknown section 'hosts'; did you mean 'host'?"}},
    {"hostname = \"x\"\n",
     {"c.toml:1:1: error: unknown key 'hostname'; known: host, sets, edge, guests, guest, local"}},
    {"[meter]\n", {"c.toml:1:2: error: 'meter' is not in this version; known: host, sets, edge, guests, guest, local"}},
    {"[proxy]\n", {"c.toml:1:2: error: 'proxy' is not in this version; known: host, sets, edge, guests, guest, local"}},
    {"[xsk]\n", {"c.toml:1:2: error: 'xsk' is not in this version; known: host, sets, edge, guests, guest, local"}},
};

const Broken kEdge[] = {
    {"[edge.guard]\n"
     "threshold = \"5/s\"\n"
     "[edge]\n"
     "devices = [\"eth0\"]\n"
     "rules = []\n",
     {"c.toml:1:7: error: 'guard' in [edge] is not in this version; known: devices, mode, replace, rules"}},
    {"[edge]\n",
     {"c.toml:1:1: error: [edge] has no devices; for example: devices = [\"eth0\"]",
      "c.toml:1:1: error: [edge] has no rules; for example: rules = [\"src 192.0.2.0/24 -> drop\", \"fallback -> "
      "pass\"]"}},
    {"edge = \"eth0\"\n", {"c.toml:1:8: error: 'edge' is a string; expected a table"}},
    {"[edge]\n"
     "devices = \"eth0\"\n"
     "rules = []\n",
     {"c.toml:2:11: error: 'devices' in [edge] is a string; expected an array of strings"}},
    {"[edge]\n"
     "devices = []\n"
     "rules = []\n",
     {"c.toml:2:11: error: [edge] has no devices; for example: devices = [\"eth0\"]"}},
    {"[edge]\n"
     "devices = [\"eth0\", 5]\n"
     "rules = []\n",
     {"c.toml:2:20: error: an integer in 'devices'; expected an array of strings"}},
    {"[edge]\n"
     "devices = [\"eth0\", \"eth0\"]\n"
     "rules = []\n",
     {"c.toml:2:21: error: 'eth0' twice in 'devices'"}},
    {"[edge]\n"
     "devices = [\"a-very-long-device-name\"]\n"
     "rules = []\n",
     {"c.toml:2:13: error: 'a-very-long-device-name' cannot be a device; names have 1 to 15 bytes"}},
    {"[edge]\n"
     "device = [\"eth0\"]\n"
     "rules = []\n",
     {"c.toml:1:1: error: [edge] has no devices; for example: devices = [\"eth0\"]",
      "c.toml:2:1: error: unknown key 'device' in [edge]; did you mean 'devices'?"}},
    {"[edge]\n"
     "devices = [\"eth0\"]\n",
     {"c.toml:1:1: error: [edge] has no rules; for example: rules = [\"src 192.0.2.0/24 -> drop\", \"fallback -> "
      "pass\"]"}},
    {"[edge]\n"
     "devices = [\"eth0\"]\n"
     "rules = \"tcp -> drop\"\n",
     {"c.toml:3:9: error: 'rules' in [edge] is a string; expected an array of strings"}},
    {"[edge]\n"
     "devices = [\"eth0\"]\n"
     "rules = [5, true, 1.5, 2020-01-01, [\"tcp -> drop\"], {a = 1}]\n",
     {"c.toml:3:10: error: an integer in 'rules'; expected an array of strings",
      "c.toml:3:13: error: a boolean in 'rules'; expected an array of strings",
      "c.toml:3:19: error: a floating-point number in 'rules'; expected an array of strings",
      "c.toml:3:24: error: a date or time in 'rules'; expected an array of strings",
      "c.toml:3:36: error: an array in 'rules'; expected an array of strings",
      "c.toml:3:53: error: a table in 'rules'; expected an array of strings"}},
    {"[edge]\n"
     "devices = [\"eth0\"]\n"
     "mode = \"hw\"\n"
     "rules = []\n",
     {"c.toml:3:9: error: unknown mode 'hw'; expected auto, native, generic, offload"}},
    {"[edge]\n"
     "devices = [\"eth0\"]\n"
     "mode = \"Native\"\n"
     "rules = []\n",
     {"c.toml:3:9: error: unknown mode 'Native'; expected auto, native, generic, offload; did you mean 'native'?"}},
    {"[edge]\n"
     "devices = [\"eth0\"]\n"
     "replace = \"yes\"\n"
     "rules = []\n",
     {"c.toml:3:11: error: 'replace' in [edge] is a string; expected true or false"}},
    {"[edge]\n"
     "devices = [\"eth0\"]\n"
     "rules = [\"tcp -> drop\", \"fallback -> pass\", \"udp -> drop\"]\n",
     {"c.toml:3:46: error: a rule behind the fallback; the fallback takes every packet and comes last"}},
    {"[edge]\n"
     "devices = [\"eth0\"]\n"
     "rules = [\"tcp -> drop\", \"tcp dport 80 -> drop\"]\n",
     {"c.toml:3:26: warning: rule 2 can never match: rule 1 takes all its packets: 'tcp -> drop'; put it before rule 1 "
      "or remove it"}},
    {"[edge]\n"
     "devices = [\"eth0\"]\n"
     "rules = [\"device eth1 -> drop\"]\n",
     {"c.toml:3:11: warning: rule 1 names 'eth1', which is not in 'devices'; devices: eth0"}},
    {"[edge]\n"
     "devices = [\"eth0\"]\n"
     "rules = [\"src @blocklist -> drop\"]\n",
     {"c.toml:3:15: error: unknown set '@blocklist'; define it in [sets.blocklist]"}},
    {"[sets.blocklist]\n"
     "type = \"prefix\"\n"
     "[edge]\n"
     "devices = [\"eth0\"]\n"
     "rules = [\"src @blocklst -> drop\"]\n",
     {"c.toml:5:15: error: unknown set '@blocklst'; did you mean '@blocklist'?"}},
    {"[sets.blocklist]\n"
     "type = \"prefix\"\n"
     "[edge]\n"
     "devices = [\"eth0\"]\n"
     "rules = [\"dport @blocklist -> drop\"]\n",
     {"c.toml:5:17: error: the set '@blocklist' holds prefix entries; 'dport' needs a set of type port"}},
};

const Broken kSets[] = {
    {"sets = 5\n", {"c.toml:1:8: error: 'sets' is an integer; expected a table"}},
    {"[sets]\n"
     "blocklist = [\"10.0.0.0/8\"]\n",
     {"c.toml:2:13: error: 'blocklist' in [sets] is an array; expected a section [sets.blocklist] with type and "
      "entries or file"}},
    {"[sets.blocklist]\n", {"c.toml:1:1: error: [sets.blocklist] has no type; type = \"prefix\", \"port\" or \"mac\""}},
    {"[sets.blocklist]\n"
     "type = \"prefixes\"\n",
     {"c.toml:2:9: error: unknown type 'prefixes'; expected prefix, port, mac; did you mean 'prefix'?"}},
    {"[sets.blocklist]\n"
     "type = \"prefixes\"\n"
     "[edge]\n"
     "devices = [\"eth0\"]\n"
     "rules = [\"src @blocklist dport @blocklist -> drop\"]\n",
     {"c.toml:2:9: error: unknown type 'prefixes'; expected prefix, port, mac; did you mean 'prefix'?"}},
    {"[sets.blocklist]\n"
     "type = 5\n",
     {"c.toml:2:8: error: 'type' in [sets.blocklist] is an integer; expected a string"}},
    {"[sets.\"a b\"]\n"
     "type = \"prefix\"\n",
     {"c.toml:1:7: error: 'a b' cannot be the name of a set; letters, digits, '-' and '_', at most 31"}},
    {"[sets.blocklist]\n"
     "type = \"prefix\"\n"
     "entry = [\"10.0.0.0/8\"]\n",
     {"c.toml:3:1: error: unknown key 'entry' in [sets.blocklist]; known: type, entries, file"}},
    {"[sets.blocklist]\n"
     "type = \"prefix\"\n"
     "entries = \"10.0.0.0/8\"\n",
     {"c.toml:3:11: error: 'entries' in [sets.blocklist] is a string; expected an array of strings"}},
    {"[sets.blocklist]\n"
     "type = \"prefix\"\n"
     "entries = [\"10.0.0.0/8\", \"10.0.0.1/8\", \"10.0.0.0/40\", \"::g\", 5]\n",
     {"c.toml:3:27: error: '10.0.0.1/8' has host bits set; write 10.0.0.0/8, or 10.0.0.1 for the one address",
      "c.toml:3:41: error: '40' is not a prefix length; expected 0 to 32 behind the '/'",
      "c.toml:3:56: error: '::g' is not an address; expected an address or a prefix",
      "c.toml:3:62: error: an integer in 'entries'; expected an array of strings"}},
    {"[sets.ports]\n"
     "type = \"port\"\n"
     "entries = [\"80\", \"90-80\", \"htpp\", \"70000\", \"\"]\n",
     {"c.toml:3:19: error: empty range '90-80'; the smaller number comes first: 80-90",
      "c.toml:3:28: error: unknown name 'htpp'; did you mean 'http'?",
      "c.toml:3:36: error: '70000' is out of range; expected 0 to 65535",
      "c.toml:3:45: error: unknown name ''; expected a port, a range or a service"}},
    {"[sets.cards]\n"
     "type = \"mac\"\n"
     "entries = [\"02:00:00:00:00:01\", \"02:00:00:00:00\"]\n",
     {"c.toml:3:34: error: '02:00:00:00:00' is not a MAC address; expected six bytes such as 02:00:5e:10:00:01"}},
    {"[sets.blocklist]\n"
     "type = \"prefix\"\n"
     "file = \"does-not-exist.txt\"\n",
     {"c.toml:3:9: error: open does-not-exist.txt: No such file or directory"}},
    {"[sets.blocklist]\n"
     "type = \"prefix\"\n"
     "file = \"/\"\n",
     {"c.toml:3:9: error: / is not a regular file"}},
    {"[sets.blocklist]\n"
     "type = \"prefix\"\n"
     "file = [\"a\"]\n",
     {"c.toml:3:8: error: 'file' in [sets.blocklist] is an array; expected a string"}},
};

const Broken kToml[] = {
    {"[host\n", {"c.toml:1:6: error: not TOML: table header: expected ']', saw '\\n'"}},
    {"[host]\n"
     "pins = /x\n",
     {"c.toml:2:8: error: not TOML: value: could not determine value type"}},
    {"[host]\n"
     "pins = \"x\n",
     {"c.toml:2:10: error: not TOML: string: unescaped control characters other than TAB (U+0009) are explicitly "
      "prohibited"}},
    {"[host]\n"
     "pins = \"/x\"\n"
     "pins = \"/y\"\n",
     {"c.toml:3:8: error: not TOML: key-value pair: cannot redefine existing string 'pins'"}},
    {"[host]\n"
     "[host]\n",
     {"c.toml:2:1: error: not TOML: table header: cannot redefine existing table 'host'"}},
    {"a b c\n", {"c.toml:1:3: error: not TOML: key-value pair: expected '=', saw 'b'"}},
    {"key = \"bad \\q escape\"\n", {"c.toml:1:13: error: not TOML: string: unknown escape sequence '\\q'"}},
    {"devices = [\"eth0\"\n", {"c.toml:1:18: error: not TOML: array: encountered end-of-file"}},
};

TEST(BrokenConfig, HostAndUnknownSections) {
    for (const Broken &broken : kHost)
        check(broken);
}

TEST(BrokenConfig, Edge) {
    for (const Broken &broken : kEdge)
        check(broken);
}

TEST(BrokenConfig, Sets) {
    for (const Broken &broken : kSets)
        check(broken);
}

TEST(BrokenConfig, NoToml) {
    for (const Broken &broken : kToml)
        check(broken);
}

} // namespace
} // namespace beeline::config
