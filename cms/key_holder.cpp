#include "cms/key_holder.h"

#include <openssl/x509v3.h>

#include <algorithm>

#include "cms/der.h"
#include "mime/header.h"

namespace p11mime::cms {

namespace {

bool has_subject(const Certificate& certificate) {
    return X509_NAME_entry_count(X509_get_subject_name(certificate.get())) > 0;
}

}  // namespace

bool is_limited(std::span<const Certificate> path) {
    return std::ranges::any_of(
        path, [](const Certificate& each) { return X509_get_ext_by_NID(each.get(), NID_name_constraints, -1) >= 0; });
}

bool tells_of_holder(const Certificate& other, bool limited, const Certificate& certificate) {
    const bool alike = other.is_ca() == certificate.is_ca() && same_name_and_key(other, certificate);
    if (!limited && has_subject(other) && alike) return true;
    return std::ranges::any_of(other.emails(), [&](const std::string& each) { return certificate.has_email(each); });
}

std::vector<Bytes> key_holders(const Certificate& certificate, bool limited) {
    const Bytes key = certificate.spki_der();
    std::vector<Bytes> holders;
    const Bytes kind{certificate.is_ca() ? Byte{1} : Byte{0}};
    if (!limited && has_subject(certificate)) holders.push_back(concat({kind, certificate.subject_der(), key}));
    for (const std::string& each : certificate.emails())
        holders.push_back(concat({der_value(tag::kOctetString, bytes_of(mime::ascii_lower(each))), key}));
    return holders;
}

}  // namespace p11mime::cms
