#include "softhsm-tests/matrix/bouncy_castle.h"

#include <fmt/format.h>

#include "softhsm-tests/matrix/java_peer.h"

namespace p11mime::test::matrix {

namespace {

constexpr Reason kReasons[] = {
    {"CMSSignerDigestMismatchException", "content changed"},
    {"AEADBadTagException", "content changed"},
    {"Error finalising cipher", "content changed"},
    {"other content than was put in", "other content"},
    {"cannot be cast to class org.bouncycastle.operator.OutputAEADEncryptor", "no such cipher in CMS"},
    {"NoSuchElementException", "no such cipher"},
    {"Unknown signature type requested", "no such algorithm"},
    {"originator key invalid", "no X25519 or X448 in CMS"},
    {"Unknown key agreement algorithm", "no X25519 or X448 in CMS"},
};

/// jca_digest is a digest within the name of a signature algorithm: "SHA256", "SHA3-256", "SHA512(256)".
std::string jca_digest(const SignatureRow& row) {
    return row.digest.starts_with("sha512-") ? fmt::format("SHA512({})", row.digest.substr(7)) : upper_digest(row);
}

/// jca_name is a signature algorithm as the JCA has it: "SHA256withRSAandMGF1", "SHA3-256withECDSA", "Ed25519".
std::string jca_name(const SignatureRow& row) {
    if (row.key == KeyKind::ed25519) return "Ed25519";
    if (row.key == KeyKind::ed448) return "Ed448";
    const std::string key = row.key == KeyKind::rsa2048 ? "RSA" : row.key == KeyKind::dsa1024 ? "DSA" : "ECDSA";
    return jca_digest(row) + "with" + key + (row.pss ? "andMGF1" : "");
}

JavaPeer::Values values_of(const RecipientRow& row) {
    return {{"management", name(row.way)},
            {"cipher", row.cipher},
            {"hash", row.hash},
            {"mgf", row.mgf},
            {"label", row.label},
            {"cofactor", row.cofactor ? "yes" : ""},
            {"wrap", std::to_string(row.wrap)},
            {"ukm", row.ukm},
            {"secret", row.secret},
            {"id", kKekId}};
}

/// done tells the answers to the jobs that read, which came first, from those to jobs that write.
Done done(const Answers& answers, std::size_t read) {
    const auto middle = answers.begin() + static_cast<std::ptrdiff_t>(read);
    return {{answers.begin(), middle}, {middle, answers.end()}};
}

}  // namespace

std::span<const Reason> BouncyCastleSignatures::reasons() const {
    return kReasons;
}

Done BouncyCastleSignatures::run(const std::vector<Task<SignatureRow>>& to_read,
                                 const std::vector<Task<SignatureRow>>& to_write) {
    JavaPeer java;
    const std::string broken = people_.file("content.changed", changed(std::string(kText)));
    for (const auto& [row, file] : to_read) {
        java.add({{"do", "verify"},
                  {"in", file},
                  {"content", row->broken && row->clear ? broken : people_.content_file()},
                  {"detached", row->clear ? "yes" : ""}});
    }
    for (const auto& [row, file] : to_write) {
        const Person& person = people_.with(row->key);
        java.add({{"do", "sign"},
                  {"algorithm", jca_name(*row)},
                  {"key", person.key_der},
                  {"certificate", person.certificate_der},
                  {"content", people_.content_file()},
                  {"detached", row->clear ? "yes" : ""},
                  {"out", file}});
    }
    return done(java.run(people_), to_read.size());
}

std::span<const Reason> BouncyCastleRecipients::reasons() const {
    return kReasons;
}

Done BouncyCastleRecipients::run(const std::vector<Task<RecipientRow>>& to_read,
                                 const std::vector<Task<RecipientRow>>& to_write) {
    JavaPeer java;
    const auto add = [&](const RecipientRow& row, const char* what, const char* direction, const std::string& file) {
        JavaPeer::Values job = values_of(row);
        job.insert(job.end(), {{"do", what + how_}, {direction, file}, {"content", people_.content_file()}});
        if (row.secret.empty()) {
            job.emplace_back("key", people_.with(row.key).key_der);
            job.emplace_back("certificate", people_.with(row.key).certificate_der);
        }
        java.add(job);
    };
    for (const auto& [row, file] : to_read)
        add(*row, "decrypt", "in", file);
    for (const auto& [row, file] : to_write)
        add(*row, "encrypt", "out", file);
    return done(java.run(people_), to_read.size());
}

std::string HandmadeRecipients::not_run(const RecipientRow& row) const {
    const bool without_peer = row.way == Way::xdh || row.cipher == "chacha20-poly1305" || row.broken;
    return without_peer || row.cipher == "aes-256-gcm" ? "" : "not run: has peers";
}

}  // namespace p11mime::test::matrix
