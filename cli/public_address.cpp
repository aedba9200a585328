#include "cli/public_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace p11mime::cli {

namespace {

struct Network4 {
    std::uint32_t prefix;
    unsigned bits;
};

constexpr std::uint32_t ip4(unsigned a, unsigned b, unsigned c) {
    return a << 24 | b << 16 | c << 8;
}

// The registry of special-purpose addresses (RFC 6890) less what is reached globally.
constexpr Network4 kNotPublic4[] = {
    {ip4(0, 0, 0), 8},      {ip4(10, 0, 0), 8},     {ip4(100, 64, 0), 10}, {ip4(127, 0, 0), 8},
    {ip4(169, 254, 0), 16}, {ip4(172, 16, 0), 12},  {ip4(192, 0, 0), 24},  {ip4(192, 0, 2), 24},
    {ip4(192, 88, 99), 24}, {ip4(192, 168, 0), 16}, {ip4(198, 18, 0), 15}, {ip4(198, 51, 100), 24},
    {ip4(203, 0, 113), 24}, {ip4(224, 0, 0), 3},
};

bool is_public4(std::uint32_t address) {
    return std::none_of(std::begin(kNotPublic4), std::end(kNotPublic4), [&](const Network4& network) {
        return (address ^ network.prefix) >> (32 - network.bits) == 0;
    });
}

using Address6 = std::array<std::uint8_t, 16>;

bool starts(const Address6& address, std::initializer_list<std::uint8_t> prefix) {
    return std::equal(prefix.begin(), prefix.end(), address.begin());
}

std::uint32_t embedded4(const Address6& address, std::size_t at) {
    std::uint32_t embedded = 0;
    for (std::size_t i = 0; i < 4; ++i)
        embedded = embedded << 8 | address.at(at + i);
    return embedded;
}

bool is_public6(const Address6& address) {
    if (starts(address, {0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) return is_public4(embedded4(address, 12));
    if (starts(address, {0x20, 0x02})) return is_public4(embedded4(address, 2));
    // 2001::/23 is for protocols (Teredo tunnels to any IPv4 address), the others for documentation.
    if (starts(address, {0x20, 0x01}) && address[2] < 2) return false;
    if (starts(address, {0x20, 0x01, 0x0d, 0xb8}) || (starts(address, {0x3f, 0xff}) && address[2] < 0x10)) return false;
    return (address[0] & 0xe0) == 0x20;  // 2000::/3, all that is global unicast
}

}  // namespace

bool is_public(const sockaddr& address) {
    if (address.sa_family == AF_INET) {
        sockaddr_in in{};
        std::memcpy(&in, &address, sizeof in);
        return is_public4(ntohl(in.sin_addr.s_addr));
    }
    if (address.sa_family != AF_INET6) return false;
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof in);
    Address6 bytes{};
    std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
    return is_public6(bytes);
}

std::string address_text(const sockaddr& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* at = nullptr;
    sockaddr_in in{};
    sockaddr_in6 in6{};
    if (address.sa_family == AF_INET) {
        std::memcpy(&in, &address, sizeof in);
        at = &in.sin_addr;
    } else if (address.sa_family == AF_INET6) {
        std::memcpy(&in6, &address, sizeof in6);
        at = &in6.sin6_addr;
    }
    if (at == nullptr || inet_ntop(address.sa_family, at, text.data(), text.size()) == nullptr)
        return "no Internet address";
    return text.data();
}

}  // namespace p11mime::cli
