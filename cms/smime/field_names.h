#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "mime/header.h"

namespace p11mime::cms::smime {

/// kOuterField is the field that says what the sender left outside, kProtectionMark the parameter of protected header
/// fields (RFC 9788 section 2), kForerunnerMark that of their forerunner.
inline constexpr std::string_view kOuterField = "HP-Outer";
inline constexpr std::string_view kProtectionMark = "hp";
inline constexpr std::string_view kForerunnerMark = "protected-headers";

/// kSeen is fields that mail programs show or act upon (RFC 9787 section 1.1.2, and those that thread and answer).
inline constexpr std::array<std::string_view, 17> kSeen{
    "From",          "Sender",     "Reply-To", "To",          "Cc",
    "Bcc",           "Subject",    "Date",     "Message-ID",  "Comments",
    "In-Reply-To",   "References", "Keywords", "Followup-To", "Mail-Followup-To",
    "Mail-Reply-To", "Importance"};

inline constexpr std::array<std::string_view, 7> kAddressFields{"From", "Sender",        "Reply-To",        "To",
                                                                "Cc",   "Mail-Reply-To", "Mail-Followup-To"};

/// kBlind is fields of recipients whom others are not told of (RFC 5322 section 3.6.3): they are for relays alone.
inline constexpr std::array<std::string_view, 2> kBlind{"Bcc", "Resent-Bcc"};

/// is_one_of compares the names of fields.
template <std::size_t size>
bool is_one_of(const std::array<std::string_view, size>& names, std::string_view name) {
    return std::any_of(names.begin(), names.end(),
                       [&](std::string_view each) { return mime::equal_ignoring_case(each, name); });
}

}  // namespace p11mime::cms::smime
