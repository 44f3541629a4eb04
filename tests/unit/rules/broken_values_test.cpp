// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/rules/edge_rules.hpp"

namespace beeline {
namespace {

const test::Broken kValues[] = {
    {"dport -> drop",
     {"r:1:7: error: no value behind 'dport'; expected a port, a range 80-90, a service, a list {80, 443} or @set"}},
    {"tcp dport sport 5 -> drop",
     {"r:1:11: error: no value behind 'dport', but 'sport'; expected a port, a range 80-90, a service, a list {80, "
      "443} or @set"}},
    {"dport 65536 -> drop", {"r:1:7: error: '65536' is out of range; expected 0 to 65535"}},
    {"dport 90-80 -> drop", {"r:1:7: error: empty range '90-80'; the smaller number comes first: 80-90"}},
    {"dport 80- -> drop",
     {"r:1:7: error: '80-' is not a range; expected a port, a range 80-90, a service, a list {80, 443} or @set"}},
    {"dport -80 -> drop",
     {"r:1:7: error: unknown name '-80'; expected a port, a range 80-90, a service, a list {80, 443} or @set"}},
    {"dport 080 -> drop",
     {"r:1:7: error: '080' has a leading zero; hexadecimal numbers begin with 0x, decimal ones not with 0"}},
    {"dport htpp -> drop",
     {"r:1:7: error: unknown name 'htpp'; expected a port, a range 80-90, a service, a list {80, 443} or @set; did you "
      "mean 'http'?"}},
    {"dport http-https -> drop",
     {"r:1:7: error: unknown name 'http-https'; expected a port, a range 80-90, a service, a list {80, 443} or @set"}},
    {"dport {80, 443 -> drop", {"r:1:7: error: the list is not closed; expected '}'"}},
    {"dport {80 443} -> drop", {"r:1:11: error: unexpected '443' in a list; expected ',' or '}'"}},
    {"dport {} -> drop",
     {"r:1:7: error: empty list; expected a port, a range 80-90, a service, a list {80, 443} or @set between the "
      "braces"}},
    {"dport {80,, 443} -> drop",
     {"r:1:11: error: unexpected ',' behind 'dport'; expected a port, a range 80-90, a service, a list {80, 443} or "
      "@set"}},
    {"dport {80, !443} -> drop", {"r:1:12: error: '!' inside a list; it stands before the list: dport !{a, b}"}},
    {"dport 80, 443 -> drop", {"r:1:9: error: a list without braces; write dport {a, b}"}},
    {"dport !!80 -> drop", {"r:1:8: error: '!' twice; one '!' is enough"}},
    {"dport >65535 -> drop", {"r:1:7: error: nothing is greater than 65535; 'dport' goes from 0 to 65535"}},
    {"dport @ -> drop", {"r:1:7: error: '@' without a name behind 'dport'; expected @ and the name of a set"}},
    {"dport @block -> drop", {"r:1:7: error: the set '@block' holds prefix entries; 'dport' needs a set of type port"}},
    {"dport @webb -> drop", {"r:1:7: error: unknown set '@webb'; did you mean '@web'?"}},
    {"dport {80, @web} -> drop",
     {"r:1:12: error: '@web' cannot stand here; expected a port, a range 80-90, a service, a list {80, 443} or @set"}},
    {"src @nothing -> drop", {"r:1:5: error: unknown set '@nothing'; define it in [sets.nothing]"}},
    {"src 10.0.0.1/8 -> drop",
     {"r:1:5: error: '10.0.0.1/8' has host bits set; write 10.0.0.0/8, or 10.0.0.1 for the one address"}},
    {"src 10.0.0.0/33 -> drop", {"r:1:5: error: '33' is not a prefix length; expected 0 to 32 behind the '/'"}},
    {"src 10.0.0.0/08 -> drop", {"r:1:5: error: '08' is not a prefix length; expected 0 to 32 behind the '/'"}},
    {"src 10.0.0.0/255.0.0.0 -> drop",
     {"r:1:5: error: '255.0.0.0' is not a prefix length; expected 0 to 32 behind the '/'"}},
    {"src 10.0.0.256 -> drop",
     {"r:1:5: error: '10.0.0.256' is not an address; expected an address, a prefix, a list {a, b} or @set"}},
    {"src 10.0.0 -> drop",
     {"r:1:5: error: '10.0.0' is not an address; expected an address, a prefix, a list {a, b} or @set"}},
    {"src 2001:db8::1/32 -> drop",
     {"r:1:5: error: '2001:db8::1/32' has host bits set; write 2001:db8::/32, or 2001:db8::1 for the one address"}},
    {"src 2001:db8::/129 -> drop", {"r:1:5: error: '129' is not a prefix length; expected 0 to 128 behind the '/'"}},
    {"src fe80::1%eth0 -> drop",
     {"r:1:5: error: 'fe80::1%eth0' is not an address; expected an address, a prefix, a list {a, b} or @set"}},
    {"src example.com -> drop",
     {"r:1:5: error: 'example.com' is not an address; expected an address, a prefix, a list {a, b} or @set"}},
    {"src 10.0.0.1 10.0.0.2 -> drop",
     {"r:1:14: error: unknown match '10.0.0.2'; expected a match, 'rate' or '->'; several values are written src {a, "
      "b}"}},
    {"src <10.0.0.1 -> drop",
     {"r:1:5: error: '<' cannot stand behind 'src'; expected an address, a prefix, a list {a, b} or @set"}},
    {"proto foo -> drop",
     {"r:1:7: error: unknown name 'foo'; expected a protocol by name or number, or a list {a, b}"}},
    {"proto 256 -> drop", {"r:1:7: error: '256' is out of range; expected 0 to 255"}},
    {"proto 6-17 -> drop",
     {"r:1:7: error: '6-17' is a range; expected a protocol by name or number, or a list {a, b}"}},
    {"flags sny -> drop",
     {"r:1:7: error: unknown TCP flag 'sny'; expected flags out of fin, syn, rst, psh, ack, urg, ece, cwr, or "
      "flags/mask; did you mean 'syn'?"}},
    {"flags syn/ack -> drop",
     {"r:1:7: error: 'flags syn/ack' can never hold; every flag must be in the mask behind the '/'"}},
    {"flags syn/syn/ack -> drop",
     {"r:1:7: error: unknown TCP flag 'syn/ack'; expected flags out of fin, syn, rst, psh, ack, urg, ece, cwr, or "
      "flags/mask"}},
    {"flags syn/syn,ack/fin -> drop",
     {"r:1:15: error: a second '/' in the flags; expected flags/mask, for example syn/syn,ack"}},
    {"flags none/none -> drop", {"r:1:7: error: an empty mask fits every segment; leave 'flags' out, or write tcp"}},
    {"vlan 4096 -> drop", {"r:1:6: error: '4096' is out of range; expected 0 to 4095"}},
    {"vlan !any -> drop", {"r:1:7: error: 'any' stands alone: vlan any; write vlan none"}},
    {"vlan {1, none} -> drop", {"r:1:10: error: 'none' stands alone: vlan none"}},
    {"vlan none inner-vlan 5 -> drop", {"r:1:11: error: 'inner-vlan' with 'vlan none'; leave out one of them"}},
    {"inner-vlan any -> drop",
     {"r:1:12: error: 'any' is not a number; expected an id from 0 to 4095 or a list {1, 2}"}},
    {"ethertype 0 -> drop", {"r:1:11: error: '0' is out of range; expected 1 to 65535"}},
    {"ethertype 0x10000 -> drop", {"r:1:11: error: '0x10000' is out of range; expected 1 to 65535"}},
    {"ethertype 0xzz -> drop",
     {"r:1:11: error: '0xzz' is not a number; expected an ethertype by name or number, or a list {a, b}"}},
    {"mac src 02:00:00:00:00 -> drop",
     {"r:1:9: error: '02:00:00:00:00' is not a MAC address; expected six bytes such as 02:00:5e:10:00:01"}},
    {"mac src 02-00-00-00-00-01 -> drop",
     {"r:1:9: error: '02-00-00-00-00-01' is not a MAC address; expected six bytes such as 02:00:5e:10:00:01"}},
    {"ttl 256 -> drop", {"r:1:5: error: '256' is out of range; expected 0 to 255"}},
    {"ttl <0 -> drop", {"r:1:5: error: nothing is less than 0; 'ttl' goes from 0 to 255"}},
    {"ttl < -> drop", {"r:1:7: error: no value behind 'ttl'; expected a number"}},
    {"dscp 64 -> drop", {"r:1:6: error: '64' is out of range; expected 0 to 63"}},
    {"dscp afl1 -> drop",
     {"r:1:6: error: unknown name 'afl1'; expected a DSCP by name or number (0 to 63), or a list {a, b}; did you mean "
      "'af11'?"}},
    {"length >4294967295 -> drop",
     {"r:1:8: error: nothing is greater than 4294967295; 'length' goes from 0 to 4294967295"}},
    {"length 18446744073709551616 -> drop",
     {"r:1:8: error: '18446744073709551616' is out of range; expected 0 to 4294967295"}},
    {"options all -> drop", {"r:1:9: error: unknown match 'all'; expected a match, 'rate' or '->'"}},
    {"malformed !none -> drop", {"r:1:11: error: 'malformed' cannot be negated"}},
    {"tcp !22 -> drop", {"r:1:5: error: 'tcp' cannot be negated"}},
    {"device this-name-is-too-long -> drop",
     {"r:1:8: error: 'this-name-is-too-long' cannot be a device; names have 1 to 15 bytes"}},
    {"device a/b -> drop", {"r:1:8: error: 'a/b' cannot be a device; no '/', ':' or blank in names"}},
    {"device '' -> drop", {"r:1:8: error: '' cannot be a device; names have 1 to 15 bytes"}},
};

TEST(BrokenRules, ValuesAreNamedWithTheRemedy) {
    for (const test::Broken &broken : kValues)
        EXPECT_EQ(test::lines(test::parse({broken.rule}).diagnostics), broken.said) << broken.rule;
}

} // namespace
} // namespace beeline
