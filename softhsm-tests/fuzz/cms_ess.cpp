// Any bytes as the value of each signed attribute of Enhanced Security Services: the first byte chooses the attribute.
#include <openssl/err.h>

#include <array>
#include <cstdlib>

#include "cms/asn1.h"
#include "cms/der.h"
#include "cms/ess.h"
#include "cms/identifiers.h"

using namespace p11mime;

namespace {

constexpr std::array kAttributes{
    cms::oid::kReceiptRequest,    cms::oid::kSecurityLabel,    cms::oid::kEquivalentLabels,  cms::oid::kContentHints,
    cms::oid::kContentIdentifier, cms::oid::kContentReference, cms::oid::kMlExpansionHistory};

void free_attributes(STACK_OF(X509_ATTRIBUTE) * attributes) {
    sk_X509_ATTRIBUTE_pop_free(attributes, X509_ATTRIBUTE_free);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size == 0) return 0;
    const Bytes der =
        cms::der_value(cms::tag::kSequence, {cms::der_oid(kAttributes[data[0] % kAttributes.size()]),
                                             cms::der_value(cms::tag::kSet, ByteView(data + 1, size - 1))});
    const Byte* at = der.data();
    X509_ATTRIBUTE* attribute = d2i_X509_ATTRIBUTE(nullptr, &at, static_cast<long>(der.size()));
    ERR_clear_error();
    if (attribute == nullptr) return 0;
    const Handle<STACK_OF(X509_ATTRIBUTE), free_attributes> attributes(sk_X509_ATTRIBUTE_new_null());
    sk_X509_ATTRIBUTE_push(attributes.get(), attribute);
    const cms::Ess ess = cms::read_ess(cms::Attributes(attributes.get()));
    if (ess.mail_list_expansions.size() > cms::kMaxEssEntries || ess.malformed.size() > 1) std::abort();
    return 0;
}
