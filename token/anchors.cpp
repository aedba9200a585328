#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cms/memory_certificates.h"
#include "cms/name_outline.h"
#include "cms/trust.h"
#include "cms/trust_settings.h"
#include "mime/error.h"
#include "token/objects.h"

namespace p11mime::token {

namespace {

constexpr const char* kRemedy =
    "install the package anew that has the file (Debian: libnss3), or do without: --no-default-ca with --ca FILE";
constexpr std::array<const char*, 7> kUsualPlaces = {"/usr/lib/x86_64-linux-gnu/libnssckbi.so",
                                                     "/usr/lib/x86_64-linux-gnu/nss/libnssckbi.so",
                                                     "/usr/lib/aarch64-linux-gnu/libnssckbi.so",
                                                     "/usr/lib/aarch64-linux-gnu/nss/libnssckbi.so",
                                                     "/usr/lib64/libnssckbi.so",
                                                     "/usr/lib/libnssckbi.so",
                                                     "/usr/lib/nss/libnssckbi.so"};

/// EmailAnchors looks each root up in the module, so that the whole list is never parsed.
class EmailAnchors final : public cms::CertificateSource {
  public:
    explicit EmailAnchors(std::string path) : path_(std::move(path)) {}

    // The module compares bytes: a name that is encoded in another way is looked for among all.
    std::vector<cms::Certificate> by_subject(ByteView name_der) override {
        std::vector<cms::Certificate> found = with_subject(name_der);
        if (!found.empty()) return found;
        for (const Bytes& form : other_forms(name_der))
            for (cms::Certificate& each : with_subject(form))
                found.push_back(std::move(each));
        return cms::MemoryCertificates(std::move(found)).by_subject(name_der);
    }

    std::vector<cms::Certificate> by_identifier(const cms::RecipientIdentifier& identifier) override {
        if (identifier.issuer_der.empty()) return {};  // the module's objects have no key identifiers
        Template search = objects_of_class(CKO_CERTIFICATE);
        search.add(CKA_ISSUER, identifier.issuer_der).add(CKA_SERIAL_NUMBER, identifier.serial_der);
        return told_of(search);
    }

  private:
    // Subject is a name of the module's, and what tells it from others, the hash only where the outlines do not.
    struct Subject {
        Bytes name;
        std::optional<std::string> outline;
        std::optional<std::uint32_t> hash = {};
    };

    std::vector<cms::Certificate> with_subject(ByteView name_der) {
        Template search = objects_of_class(CKO_CERTIFICATE);
        search.add(CKA_SUBJECT, name_der);
        return told_of(search);
    }

    std::set<Bytes> other_forms(ByteView name_der) {
        const auto outline = cms::name_outline(name_der);
        const std::uint32_t hash = cms::name_hash(name_der);
        const std::lock_guard lock(mutex_);
        std::set<Bytes> forms;
        for (Subject& each : subjects()) {
            if ((outline && each.outline && outline != each.outline) || std::ranges::equal(each.name, name_der))
                continue;
            if (!each.hash) each.hash = cms::name_hash(each.name);
            if (each.hash == hash) forms.insert(each.name);
        }
        return forms;
    }

    std::vector<Subject>& subjects() {
        open();
        if (subjects_) return *subjects_;
        std::vector<Subject> all;
        for (const auto& session : sessions_)
            for (const CK_OBJECT_HANDLE object : session->find(objects_of_class(CKO_CERTIFICATE))) {
                Bytes name = session->attributes(object, {CKA_SUBJECT}).bytes(CKA_SUBJECT);
                auto outline = cms::name_outline(name);
                all.push_back({std::move(name), std::move(outline)});
            }
        subjects_ = std::move(all);
        return *subjects_;
    }

    // told_of are the roots that Mozilla trusts for e-mail, and those that it distrusts, with what it says of them.
    std::vector<cms::Certificate> told_of(const Template& search) {
        const std::lock_guard lock(mutex_);
        open();
        std::vector<cms::Certificate> result;
        for (const auto& session : sessions_) {
            for (const CK_OBJECT_HANDLE object : session->find(search)) {
                const Attributes attributes =
                    session->attributes(object, {CKA_VALUE, CKA_ISSUER, CKA_SERIAL_NUMBER, kNssEmailDistrustAfter});
                const std::vector<CK_ULONG> said = trust_for_email(*session, attributes);
                const auto is_said = [&](CK_ULONG trust) { return std::ranges::find(said, trust) != said.end(); };
                if (!is_said(kNssNotTrusted) && !is_said(kNssTrustedDelegator)) continue;
                const auto root = cms::Certificate::from_der(attributes.bytes(CKA_VALUE));
                if (is_said(kNssNotTrusted))
                    result.push_back(cms::distrusted_after(root, cms::kDistrusted));
                else
                    result.push_back(with_distrust_date(root, attributes.bytes(kNssEmailDistrustAfter)));
            }
        }
        return result;
    }

    /// trust_for_email reads the trust objects that go with a certificate; its hash ties them to that very one.
    static std::vector<CK_ULONG> trust_for_email(const Session& session, const Attributes& certificate) {
        const Bytes der = certificate.bytes(CKA_VALUE);
        std::array<Byte, 20> hash{};
        if (EVP_Digest(der.data(), der.size(), hash.data(), nullptr, EVP_sha1(), nullptr) != 1) return {};
        Template search = objects_of_class(kClassNssTrust);
        search.add(CKA_ISSUER, certificate.bytes(CKA_ISSUER))
            .add(CKA_SERIAL_NUMBER, certificate.bytes(CKA_SERIAL_NUMBER))
            .add(kNssCertSha1Hash, ByteView(hash));
        std::vector<CK_ULONG> said;
        for (const CK_OBJECT_HANDLE object : session.find(search))
            if (const auto trust =
                    session.attributes(object, {kNssTrustEmailProtection}).number(kNssTrustEmailProtection))
                said.push_back(*trust);
        return said;
    }

    /// with_distrust_date is a root with the date that it goes along with, where there is one; one that cannot be read
    /// is as good as the earliest.
    static cms::Certificate with_distrust_date(const cms::Certificate& root, const Bytes& date) {
        if (date.empty() || date == Bytes{CK_FALSE}) return root;
        const Handle<ASN1_TIME, ASN1_TIME_free> time(ASN1_TIME_new());
        std::optional<cms::Time> at;
        if (time && ASN1_TIME_set_string_X509(time.get(), std::string(text_of(date)).c_str()) == 1)
            at = cms::to_time(time.get());
        return cms::distrusted_after(root, at.value_or(cms::kDistrusted));
    }

    void open() {
        if (module_) return;
        try {
            module_ = Module::load(path_);
        } catch (const Error& error) {
            throw Error(error.kind(),
                        fmt::format("the roots that Mozilla trusts for e-mail cannot be read: {}", error.what()),
                        kRemedy);
        }
        for (const Slot& slot : module_->slots())
            if (slot.token)
                sessions_.push_back(std::make_unique<Session>(module_, *slot.token, Session::Access::read_only));
    }

    std::mutex mutex_;
    std::string path_;
    std::shared_ptr<Module> module_;
    std::vector<std::unique_ptr<Session>> sessions_;
    std::optional<std::vector<Subject>> subjects_;  // of all
};

}  // namespace

std::shared_ptr<cms::CertificateSource> open_email_anchors(const std::string& module) {
    if (!module.empty()) return std::make_shared<EmailAnchors>(module);
    for (const char* place : kUsualPlaces)
        if (std::filesystem::exists(place)) return std::make_shared<EmailAnchors>(place);
    return nullptr;
}

}  // namespace p11mime::token
