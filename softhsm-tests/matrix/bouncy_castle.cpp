#include "softhsm-tests/matrix/bouncy_castle.h"

#include "softhsm-tests/matrix/java_peer.h"

namespace p11mime::test::matrix {

namespace {

constexpr Reason kReasons[] = {
    {"CMSSignerDigestMismatchException", "content changed"},
};

/// jca_name is a signature algorithm as the JCA has it: "SHA256withRSAandMGF1", "SHA3-256withECDSA", "Ed25519".
std::string jca_name(const SignatureRow& row) {
    if (row.key == KeyKind::ed25519) return "Ed25519";
    if (row.key == KeyKind::ed448) return "Ed448";
    const std::string key = row.key == KeyKind::rsa2048 ? "RSA" : row.key == KeyKind::dsa1024 ? "DSA" : "ECDSA";
    return upper_digest(row) + "with" + key + (row.pss ? "andMGF1" : "");
}

}  // namespace

std::span<const Reason> BouncyCastleSignatures::reasons() const {
    return kReasons;
}

std::vector<std::string> BouncyCastleSignatures::read(const std::vector<Task<SignatureRow>>& tasks) {
    JavaPeer java;
    const std::string broken = people_.file("content.changed", changed(std::string(kText)));
    for (const auto& [row, file] : tasks) {
        JavaPeer::Values job{
            {"do", "verify"}, {"in", file}, {"content", row->broken && row->clear ? broken : people_.content_file()}};
        if (row->clear) job.emplace_back("detached", "");
        java.add(job);
    }
    return java.run(people_);
}

std::vector<std::string> BouncyCastleSignatures::write(const std::vector<Task<SignatureRow>>& tasks) {
    JavaPeer java;
    for (const auto& [row, file] : tasks) {
        const Person& person = people_.with(row->key);
        JavaPeer::Values job{{"do", "sign"},
                             {"algorithm", jca_name(*row)},
                             {"key", person.key_der},
                             {"certificate", person.certificate_der},
                             {"content", people_.content_file()},
                             {"out", file}};
        if (row->clear) job.emplace_back("detached", "");
        java.add(job);
    }
    return java.run(people_);
}

}  // namespace p11mime::test::matrix
