#include "cms/smime/sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "cms/smime/shown_address.h"
#include "mime/address.h"
#include "mime/brief_list.h"
#include "mime/text.h"
#include "mime/unicode.h"

namespace p11mime::cms::smime {

namespace {

std::string in_letters(std::string_view mailbox) {
    const std::size_t at = mailbox.rfind('@');
    if (at == std::string_view::npos) return std::string(mailbox);
    const std::string_view domain = mailbox.substr(at + 1);
    const bool plain = mime::is_ascii(domain) && mime::ascii_lower(domain).find("xn--") == std::string::npos;
    return plain ? std::string(mailbox) : std::string(mailbox.substr(0, at + 1)) + mime::unicode_domain(domain);
}

// mixes_scripts looks at the local part and each label by itself: a name and its top-level domain differ in good faith.
bool mixes_scripts(std::string_view letters) {
    while (!letters.empty()) {
        const std::size_t end = std::min(letters.find_first_of("@."), letters.size());
        if (mime::mixes_scripts(letters.substr(0, end))) return true;
        letters.remove_prefix(std::min(end + 1, letters.size()));
    }
    return false;
}

std::string domain_of(const std::string& letters) {
    return letters.substr(std::min(letters.rfind('@') + 1, letters.size()));
}

// Look is how an address in letters looks to a reader.
class Look {
  public:
    explicit Look(std::string letters) : letters_(std::move(letters)), plain_(mime::is_ascii(letters_)) {}

    bool is_that_of(const std::string& letters) {
        if (plain_ && mime::is_ascii(letters)) return mime::is_picture_of(letters_, letters);
        if (!skeleton_) skeleton_ = mime::skeleton(letters_);
        return mime::skeleton(letters) == *skeleton_;
    }

    /// is_that_but_for_marks says whether only accents, dots and the like tell them apart, as in honest names of two.
    bool is_that_but_for_marks(const std::string& letters) {
        if (plain_ && mime::is_ascii(letters)) return false;
        if (!bare_) bare_ = mime::skeleton(mime::without_marks(letters_));
        return mime::skeleton(mime::without_marks(letters)) == *bare_;
    }

  private:
    std::string letters_;
    bool plain_;
    std::optional<std::string> skeleton_;  // by ICU
    std::optional<std::string> bare_;      // of its letters without marks
};

class Viewer {
  public:
    Viewer(const std::vector<mime::Field>& fields, const std::vector<std::string>& signers, const KnownAddresses& known)
        : known_(known), signers_(signers) {
        for (const mime::Field& field : fields) {
            if (mime::equal_ignoring_case(field.name, "From")) from_.push_back(field.value());
            if (mime::equal_ignoring_case(field.name, "Sender")) sender_.push_back(field.value());
            if (mime::equal_ignoring_case(field.name, "Reply-To")) reply_to_.push_back(field.value());
        }
        Sender sender;
        for (const std::string& value : from_)
            add_senders(sender, value);
        mailboxes_ = std::move(sender.mailboxes);
        too_many_ = !sender.contradiction.empty();
    }

    SenderView run() {
        if (too_many_) return {};
        look_at_from();
        look_at_sender();
        if (mailboxes_.size() > 1)
            warn("several-senders",
                 fmt::format("the mail names {} senders: {}", mailboxes_.size(), mime::brief_list(mailboxes_)));
        compare(sender_, mailboxes_, "Sender", "sender-field",
                "the Sender field names {}, who is not in the From field");
        if (from_.empty())
            compare(reply_to_, signers_, "Reply-To", "reply-to",
                    "answers go to {}, but the mail names no sender, and no signer's certificate is for that address");
        else
            compare(reply_to_, mailboxes_, "Reply-To", "reply-to", "answers go to {}, not to the sender");
        look_at_reply_to();
        for (const std::string& mailbox : mailboxes_)
            look_for_twins(mailbox);
        look_at_words();
        return std::move(view_);
    }

  private:
    void look_at_from() {
        std::size_t size = 0;
        for (const std::string& value : from_)
            size += value.size();
        if (size > kMaxViewedBytes)
            return doubt(fmt::format("the mail has From fields of more than {} bytes", kMaxViewedBytes));
        for (const std::string& value : from_) {
            if (const auto entries = mime::unreadable_addresses(value); !entries.empty())
                doubt(fmt::format("the From field has an entry that is no address: '{}'", mime::brief(entries[0])));
            look_for_others("From", value, mailboxes_);
        }
    }

    // look_at_sender lets a Sender field show the addresses that it names: compare warns of those.
    void look_at_sender() {
        for (const std::string& value : sender_) {
            if (value.size() > kMaxViewedBytes) continue;
            Sender own{.mailboxes = mailboxes_};
            add_senders(own, value);
            look_for_others("Sender", value, own.mailboxes);
        }
    }

    // look_at_reply_to warns of a name that shows another address than answers go to.
    void look_at_reply_to() {
        for (const std::string& value : reply_to_) {
            if (value.size() > kMaxViewedBytes) continue;
            Sender own{.mailboxes = mailboxes_};
            add_senders(own, value);
            if (turns_letters(value)) warn("reply-to", turned_words("Reply-To"));
            if (const std::string shown = address_shown(value, own.mailboxes); !shown.empty())
                warn("reply-to",
                     fmt::format("the Reply-To field shows {}, but no answers go there", mime::brief(shown)));
        }
    }

    static std::string turned_words(const char* name) {
        return fmt::format("the {} field turns the order of its letters around: it shows another text", name);
    }

    std::string address_shown(const std::string& value, const std::vector<std::string>& own) {
        std::string shown = foreign_address(value, own);
        return shown.empty() ? known_address_shown(value, known_addresses(), own) : shown;
    }

    const std::vector<std::string>& known_addresses() {
        if (!addresses_) addresses_ = known_ ? known_() : std::vector<std::string>{};
        return *addresses_;
    }

    void look_for_others(const char* name, const std::string& value, const std::vector<std::string>& own) {
        if (turns_letters(value)) doubt(turned_words(name));
        const std::string shown = address_shown(value, own);
        if (shown.empty()) return;
        doubt(fmt::format("the {} field shows {}, but the sender is {}", name, mime::brief(shown),
                          own.empty() ? "nobody" : mime::brief(own.front())),
              "rely on the address in the certificate alone");
    }

    // compare warns of a mailbox in a field that is not among `own`.
    void compare(const std::vector<std::string>& values, const std::vector<std::string>& own, const char* name,
                 const char* kind, const char* words) {
        for (const std::string& value : values) {
            if (value.size() > kMaxViewedBytes)
                return warn(kind, fmt::format("the {} field has more than {} bytes", name, kMaxViewedBytes));
            for (const mime::Address& address : mime::parse_addresses(value))
                if (!mime::is_among(own, address.mailbox))
                    return warn(kind, fmt::format(fmt::runtime(words), mime::brief(address.mailbox)));
            if (const auto entries = mime::unreadable_addresses(value); !entries.empty())
                return warn(kind, fmt::format("the {} field has an entry that is no address: '{}'", name,
                                              mime::brief(entries[0])));
        }
    }

    void look_for_twins(const std::string& mailbox) {
        const std::string letters = in_letters(mailbox);
        if (mixes_scripts(letters))
            warn("mixed-scripts",
                 fmt::format("the sender's address {} has letters of different scripts", mime::brief(letters)));
        const std::vector<std::string>& addresses = known_addresses();
        if (addresses.empty() || mime::is_among(addresses, mailbox)) return;
        const std::string domain = domain_of(letters);
        Look look(letters), domain_look(domain);
        for (const std::string& known : addresses)
            if (look.is_that_of(in_letters(known)))
                return doubt(fmt::format("the sender's address {} looks like {}, whom you know, and is another",
                                         mime::brief(mailbox), mime::brief(known)),
                             fmt::format("ask {} another way whether it is theirs", mime::brief(known)));
        const std::string *similar = nullptr, *similar_domain = nullptr;
        bool knows_domain = false;
        for (const std::string& known : addresses) {
            const std::string known_letters = in_letters(known);
            const std::string known_domain = domain_of(known_letters);
            if (mime::equal_ignoring_case(domain, known_domain))
                knows_domain = true;
            else if (similar_domain == nullptr && domain_look.is_that_of(known_domain))
                similar_domain = &known;
            if (similar == nullptr && look.is_that_but_for_marks(known_letters)) similar = &known;
        }
        // Two honest domains may look alike (modern.example, modem.example).
        if (similar_domain != nullptr && !knows_domain)
            warn("look-alike",
                 fmt::format("the domain of the sender's address {} looks like that of {}, whom you know, "
                             "and is another",
                             mime::brief(mailbox), mime::brief(*similar_domain)));
        if (similar != nullptr)
            warn("look-alike", fmt::format("the sender's address {} is {}, whom you know, but for marks on its letters",
                                           mime::brief(letters), mime::brief(*similar)));
    }

    void doubt(std::string reason, std::string hint = {}) {
        view_.doubts.push_back({std::move(reason), std::move(hint)});
    }

    void warn(const char* kind, std::string message) {
        Warning warning{kind, std::move(message)};
        if (std::find(view_.warnings.begin(), view_.warnings.end(), warning) == view_.warnings.end())
            view_.warnings.push_back(std::move(warning));
    }

    // look_at_words finds text that others may read as an address, and nobody here can for sure.
    void look_at_words() {
        for (const std::string& value : from_)
            if (const std::string problem = words_problem("From", value); !problem.empty()) doubt(problem);
        for (const std::string& value : sender_)
            if (const std::string problem = words_problem("Sender", value); !problem.empty()) doubt(problem);
        for (const std::string& value : reply_to_)
            if (const std::string problem = words_problem("Reply-To", value); !problem.empty())
                warn("reply-to", problem);
    }

    static std::string words_problem(const char* name, const std::string& value) {
        if (value.size() > kMaxViewedBytes) return {};
        std::vector<std::string> texts = mime::names_beside_addresses(value);
        texts.push_back(value);
        for (std::size_t i = 0, written = texts.size(); i < written; ++i)
            for (std::string& form : mime::decoded_forms(texts[i]))
                texts.push_back(std::move(form));
        for (const std::string& text : texts) {
            if (const auto charset = mime::unreadable_charset(text))
                return fmt::format("the {} field has text in a charset that not all programs know: '{}'", name,
                                   mime::brief(*charset));
            if (mime::has_odd_word(text))
                return fmt::format("the {} field has an encoded word that programs read differently", name);
        }
        return {};
    }

    const KnownAddresses& known_;
    const std::vector<std::string>& signers_;
    std::optional<std::vector<std::string>> addresses_;
    std::vector<std::string> from_, sender_, reply_to_;  // values of the fields
    std::vector<std::string> mailboxes_;                 // of From, each once
    bool too_many_ = false;                              // nobody matches then
    SenderView view_;
};

}  // namespace

void add_senders(Sender& sender, std::string_view from) {
    std::vector<mime::Address> addresses = mime::parse_addresses(from);
    if (addresses.size() + sender.mailboxes.size() > kMaxSenders) {
        sender.contradiction = fmt::format("the mail names more than {} senders", kMaxSenders);
        return;
    }
    for (mime::Address& address : addresses)
        if (!mime::is_among(sender.mailboxes, address.mailbox)) sender.mailboxes.push_back(std::move(address.mailbox));
}

SenderState judge_sender(const Certificate& certificate, const Sender& sender) {
    if (sender.check == SenderCheck::off) return SenderState::not_checked;
    if (!sender.contradiction.empty()) return SenderState::mismatch;
    if (certificate.emails().empty() || sender.mailboxes.empty()) return SenderState::absent;
    const bool all = std::all_of(sender.mailboxes.begin(), sender.mailboxes.end(),
                                 [&](const std::string& from) { return certificate.has_email(from); });
    return all ? SenderState::match : SenderState::mismatch;
}

SenderView view_sender(const std::vector<mime::Field>& fields, const std::vector<std::string>& signers,
                       const KnownAddresses& known) {
    return Viewer(fields, signers, known).run();
}

}  // namespace p11mime::cms::smime
