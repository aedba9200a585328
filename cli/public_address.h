#pragma once

#include <sys/socket.h>

#include <string>

namespace p11mime::cli {

/// is_public says whether an address is one of the public Internet: none that is private, shared (RFC 6598), loopback,
/// link-local, multicast, unspecified, reserved or for documentation (RFC 6890), no unique local IPv6 address (RFC
/// 4193) and no IPv4-mapped one. An address that embeds one of IPv4 (6to4, NAT64) is what that one is; what is neither
/// IPv4 nor IPv6 is not public.
bool is_public(const sockaddr& address);

/// address_text is an address for people, without the port.
std::string address_text(const sockaddr& address);

}  // namespace p11mime::cli
