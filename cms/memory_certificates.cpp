#include "cms/memory_certificates.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <algorithm>
#include <iterator>

namespace p11mime::cms {

std::vector<Certificate> MemoryCertificates::by_subject(ByteView name_der) {
    const Byte* data = name_der.data();
    const NameHandle name(d2i_X509_NAME(nullptr, &data, static_cast<long>(name_der.size())));
    ERR_clear_error();
    std::vector<Certificate> found;
    if (!name) return found;
    for (const Certificate& each : certificates_)
        if (X509_NAME_cmp(X509_get_subject_name(each.get()), name.get()) == 0) found.push_back(each);
    return found;
}

std::vector<Certificate> MemoryCertificates::by_identifier(const RecipientIdentifier& identifier) {
    std::vector<Certificate> found;
    std::ranges::copy_if(certificates_, std::back_inserter(found),
                         [&](const Certificate& each) { return identifier.matches(each); });
    return found;
}

}  // namespace p11mime::cms
