// SPDX-License-Identifier: Apache-2.0
//
// Names of the IANA service registry; rdp, redis (registered without a short name), wireguard and memcached by custom.
#include <beeline/rules/values.hpp>

namespace beeline::rules {

namespace {

constexpr NamedNumber kServices[] = {
    {"ftp-data", 20},
    {"ftp", 21},
    {"ssh", 22},
    {"telnet", 23},
    {"smtp", 25},
    {"domain", 53},
    {"bootps", 67},
    {"bootpc", 68},
    {"tftp", 69},
    {"http", 80},
    {"kerberos", 88},
    {"pop3", 110},
    {"sunrpc", 111},
    {"ntp", 123},
    {"imap", 143},
    {"snmp", 161},
    {"snmp-trap", 162},
    {"bgp", 179},
    {"ldap", 389},
    {"https", 443},
    {"microsoft-ds", 445},
    {"submissions", 465},
    {"isakmp", 500},
    {"syslog", 514},
    {"rip", 520},
    {"dhcpv6-client", 546},
    {"dhcpv6-server", 547},
    {"rtsp", 554},
    {"submission", 587},
    {"ipp", 631},
    {"ldaps", 636},
    {"domain-s", 853},
    {"rsync", 873},
    {"imaps", 993},
    {"pop3s", 995},
    {"openvpn", 1194},
    {"radius", 1812},
    {"radius-acct", 1813},
    {"mqtt", 1883},
    {"nfs", 2049},
    {"mysql", 3306},
    {"rdp", 3389},
    {"stun", 3478},
    {"ipsec-nat-t", 4500},
    {"vxlan", 4789},
    {"sip", 5060},
    {"sips", 5061},
    {"mdns", 5353},
    {"postgresql", 5432},
    {"amqp", 5672},
    {"geneve", 6081},
    {"redis", 6379},
    {"http-alt", 8080},
    {"secure-mqtt", 8883},
    {"memcached", 11211},
    {"wireguard", 51820},
};

} // namespace

std::span<const NamedNumber> services() {
    return kServices;
}

} // namespace beeline::rules
