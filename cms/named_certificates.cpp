#include "cms/named_certificates.h"

#include <algorithm>
#include <iterator>

#include "mime/error.h"

namespace p11mime::cms {

namespace {

constexpr std::size_t kMaxNamed = 20;  // certificates by one identifier
constexpr std::size_t kMaxOwn = 10;    // of them those that the user has

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
    Named named;
    const auto add = [&](std::vector<Certificate> found, std::size_t limit) {
        std::stable_partition(found.begin(), found.end(),
                              [&](const Certificate& each) { return is_key_hash(identifier.key_identifier, each); });
        for (const Certificate& each : found) {
            if (std::ranges::find(named.certificates, each) != named.certificates.end()) continue;
            if (named.certificates.size() >= limit) {
                named.too_many = true;
                return;
            }
            named.certificates.push_back(each);
        }
    };
    if (trust != nullptr)
        for (const auto& source : trust->intermediates)
            add(source->by_identifier(identifier), kMaxOwn);
    std::vector<Certificate> came_along;
    std::ranges::copy_if(certificates, std::back_inserter(came_along),
                         [&](const Certificate& each) { return identifier.matches(each); });
    add(std::move(came_along), kMaxNamed);
    return named;
}

}  // namespace p11mime::cms
