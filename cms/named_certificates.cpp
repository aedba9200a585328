#include "cms/named_certificates.h"

#include <algorithm>
#include <iterator>

#include "mime/error.h"

namespace p11mime::cms {

namespace {

constexpr std::size_t kMaxNamed = 20;  // certificates by one identifier

// is_key_hash says whether an identifier is what most CAs take for a key's: nobody can make another key that it fits.
bool is_key_hash(ByteView identifier, const Certificate& certificate) {
    try {
        return !identifier.empty() && std::ranges::equal(key_identifier(certificate.spki_der()), identifier);
    } catch (const Error&) {
        return false;
    }
}

}  // namespace

Named find_certificates(const RecipientIdentifier& identifier, std::span<const Certificate> certificates,
                        const Trust* trust) {
    std::vector<Certificate> found;
    std::copy_if(certificates.begin(), certificates.end(), std::back_inserter(found),
                 [&](const Certificate& each) { return identifier.matches(each); });
    std::stable_partition(found.begin(), found.end(),
                          [&](const Certificate& each) { return is_key_hash(identifier.key_identifier, each); });
    if ((found.empty() || found.size() > kMaxNamed) && trust != nullptr)
        for (const auto& source : trust->intermediates)
            if (const auto match = source->by_identifier(identifier)) found.insert(found.begin(), *match);
    Named named;
    for (const Certificate& each : found) {
        if (std::find(named.certificates.begin(), named.certificates.end(), each) != named.certificates.end()) continue;
        named.too_many = named.certificates.size() == kMaxNamed;
        if (named.too_many) break;
        named.certificates.push_back(each);
    }
    return named;
}

}  // namespace p11mime::cms
