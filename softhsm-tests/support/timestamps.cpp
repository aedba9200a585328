#include "softhsm-tests/support/timestamps.h"

#include <fmt/format.h>

namespace p11mime::test {

CertificateSpec timestamping_spec(const std::string& name) {
    return {.name = name,
            .alternative_name = "",
            .key_usage = "critical,digitalSignature",
            .extended_key_usage = "critical,timeStamping",
            .ends_in_days = 3'000};
}

OpensslTimestamps::OpensslTimestamps(const CmsBench& bench, const SoftwareKey& key, const std::string& options)
    : bench_(bench),
      configuration_(
          bench.file(fmt::format("[tsa]\n"
                                 "default_tsa = stamps\n"
                                 "[stamps]\n"
                                 "serial = {}\n"
                                 "signer_cert = {}\n"
                                 "signer_key = {}\n"
                                 "signer_digest = sha256\n"
                                 "default_policy = 1.2.3.4\n"
                                 "digests = sha256\n"
                                 "ess_cert_id_alg = sha256\n"
                                 "{}\n",
                                 bench.file("01"), bench.certificate_file(key), bench.key_file(key), options))) {}

Bytes OpensslTimestamps::answer(ByteView request) {
    const std::string query = bench_.file(text_of(request));
    return to_bytes(bytes_of(bench_.openssl({"ts", "-reply", "-config", configuration_, "-queryfile", query})));
}

}  // namespace p11mime::test
