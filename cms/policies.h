#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cms/certificate_class.h"

namespace p11mime::cms {

/// KnownPolicy is a certificate policy that tells what kind of certificate it is.
struct KnownPolicy {
    std::string_view oid;
    std::string_view name;
    Validation validation;
    std::optional<Generation> generation;
    std::optional<int> level;  ///< as of CertificateClass
    bool secure_device;        ///< it demands that the key is on one
    bool qualified = false;    ///< it is for certificates that are
};

/// find_policy looks a dotted OID up; null where it is not known.
const KnownPolicy* find_policy(std::string_view oid);

/// is_dotted_oid says whether text is an object identifier in dots.
bool is_dotted_oid(std::string_view text);

}  // namespace p11mime::cms
