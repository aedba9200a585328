// Any bytes as a file with certificates, and everything that a certificate is asked.
#include <cstdlib>
#include <string>

#include "cms/certificate.h"
#include "cms/memory_certificates.h"
#include "cms/smime/capabilities.h"
#include "cms/trust.h"
#include "mime/error.h"

using namespace p11mime;

namespace {

void ask(const cms::Certificate& certificate) {
    certificate.common_name();
    certificate.issuer();
    certificate.serial_hex();
    certificate.fingerprint_sha256();
    certificate.key_type();
    certificate.subject_key_identifier();
    certificate.spki_der();
    cms::format_time(certificate.not_before());
    certificate.valid_at(cms::Time{});
    certificate.is_ca();
    for (const std::string& mailbox : certificate.emails())
        certificate.has_email(mailbox);
    if (const auto capabilities = certificate.smime_capabilities()) cms::smime::parse_capabilities(*capabilities);
    if (cms::Certificate::from_file_bytes(bytes_of(certificate.pem())).size() != 1) std::abort();
}

void judge(const std::vector<cms::Certificate>& certificates) {
    cms::Trust trust;
    trust.anchors.push_back(std::make_shared<cms::MemoryCertificates>(std::vector{certificates.back()}));
    trust.clock = std::make_shared<cms::SystemClock>();
    for (const cms::Use use : {cms::Use::signing, cms::Use::encryption})
        cms::validate(certificates.front(), certificates, trust, use);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    try {
        const auto certificates = cms::Certificate::from_file_bytes({data, size});
        if (certificates.empty()) std::abort();
        for (const cms::Certificate& each : certificates)
            ask(each);
        judge(certificates);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) std::abort();
    }
    return 0;
}
