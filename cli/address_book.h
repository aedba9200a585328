#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cms/memory_certificates.h"

namespace p11mime::cli {

class Database;

/// BookEntry is one certificate of the address book.
struct BookEntry {
    cms::Certificate certificate;
    std::optional<Bytes> capabilities;  ///< DER of SMIMECapabilities that its owner announced in a mail
    std::string source;                 ///< "import" or "mail"
    cms::Time added{};
};

/// Anchor is a certificate that the user trusts, for the uses that its file gave it (see cms/trust_settings.h).
struct Anchor {
    cms::Certificate certificate;
    cms::Time added{};
};

/// AddressBook keeps correspondents' certificates and one's own anchors in an SQLite file, which several processes may
/// use at once, and threads too. It is opened at first use and made by the first write. Everything throws Error(io). As
/// a CertificateSource it gives the correspondents' certificates, for paths and missing signers.
class AddressBook final : public cms::CertificateSource {
  public:
    explicit AddressBook(std::string path);
    ~AddressBook() override;
    static std::string default_path();  ///< below $XDG_DATA_HOME

    /// put adds a certificate, or adds to what is known of it; false where it was there already.
    bool put(const cms::Certificate& certificate, const std::optional<Bytes>& capabilities, std::string_view source,
             cms::Time now);
    std::vector<BookEntry> all();
    std::vector<BookEntry> by_address(std::string_view mailbox);
    std::vector<std::string> addresses();  ///< of all certificates, in lower case, each once
    /// by_fingerprint takes the first 8 or more digits of a SHA-256 fingerprint, colons allowed.
    std::vector<BookEntry> by_fingerprint(std::string_view fingerprint);
    /// remove deletes a certificate by its whole fingerprint; false where it was not there.
    bool remove(const std::string& fingerprint);

    /// trust makes a certificate an anchor, with its trust settings in place of earlier ones; false where it was the
    /// same anchor already.
    bool trust(const cms::Certificate& certificate, cms::Time now);
    bool distrust(const std::string& fingerprint);
    std::vector<Anchor> anchors();

    std::vector<cms::Certificate> by_subject(ByteView name_der) override;
    std::vector<cms::Certificate> by_identifier(const cms::RecipientIdentifier& identifier) override;

  private:
    Database* reading();  // null where there is no file yet
    Database& writing();

    std::string path_;
    std::mutex mutex_;
    std::unique_ptr<Database> database_;
};

/// BookAnchors gives one's own anchors of an address book, as they are at first use.
class BookAnchors final : public cms::CertificateSource {
  public:
    explicit BookAnchors(std::shared_ptr<AddressBook> book) : book_(std::move(book)) {}
    std::vector<cms::Certificate> by_subject(ByteView name_der) override;
    std::vector<cms::Certificate> by_identifier(const cms::RecipientIdentifier& identifier) override;

  private:
    cms::MemoryCertificates& loaded();

    std::shared_ptr<AddressBook> book_;
    std::mutex mutex_;
    std::unique_ptr<cms::MemoryCertificates> loaded_;  // few, and read at first use
};

/// normal_fingerprint gives the lower-case digits of a fingerprint without colons; nothing where the text is none or
/// has under 8 digits.
std::optional<std::string> normal_fingerprint(std::string_view text);

}  // namespace p11mime::cli
