#include "cms/smime/sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "mime/address.h"
#include "mime/unicode.h"

namespace p11mime::cms::smime {

namespace {

using mime::same_mailbox;

bool among(const std::vector<std::string>& mailboxes, std::string_view mailbox) {
    return std::any_of(mailboxes.begin(), mailboxes.end(),
                       [&](const std::string& each) { return same_mailbox(each, mailbox); });
}

bool delimits(char c) {
    constexpr std::string_view kDelimiters = "<>()[]:;,\"\\";
    return (c >= 0 && c <= ' ') || c == 0x7f || kDelimiters.find(c) != kDelimiters.npos;
}

std::string_view unquoted(std::string_view text) {
    while (text.starts_with('\''))
        text.remove_prefix(1);
    while (!text.empty() && std::string_view("'.!?").find(text.back()) != std::string_view::npos)
        text.remove_suffix(1);
    return text;
}

constexpr std::string_view kBlanks = " \t\r\n";

// without_gaps takes the blanks around "@" and "." out of a text: a reader sees an address in "ceo @ bank . example".
std::string without_gaps(std::string_view text) {
    const auto joins = [](char c) { return c == '@' || c == '.'; };
    std::string joined;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t next = std::min(text.find_first_not_of(kBlanks, i), text.size());
        const bool gap = (!joined.empty() && joins(joined.back())) || (next < text.size() && joins(text[next]));
        if (!gap) joined += text.substr(i, next - i);
        if (next < text.size()) joined += text[next];
        i = next + 1;
    }
    return joined;
}

// addresses_in is every word of a text that a reader would take for an address, wherever it stands.
std::vector<std::string> addresses_in(std::string_view text) {
    std::vector<std::string> found;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t end = i;
        while (end < text.size() && !delimits(text[end]))
            ++end;
        const std::string_view word = unquoted(text.substr(i, end - i));
        const std::size_t at = word.rfind('@');
        if (at != word.npos && at + 1 < word.size()) found.emplace_back(word);
        i = std::max(end, i + 1);
    }
    return found;
}

// spelled_out writes the signs of an address that stand in words as themselves: "(at)" and "[dot]" with brackets, and
// with `bare` between blanks too.
std::string spelled_out(std::string_view text, bool bare) {
    constexpr std::array<std::pair<std::string_view, char>, 4> kSigns{
        {{"at", '@'}, {"@", '@'}, {"dot", '.'}, {".", '.'}}};
    constexpr std::string_view kOpening = "([{<", kClosing = ")]}>";
    const std::string lower = mime::ascii_lower(text);
    const auto after_blanks = [&](std::size_t at) {
        return std::min(lower.find_first_not_of(kBlanks, at), text.size());
    };
    std::string result;
    for (std::size_t i = 0; i < text.size();) {
        const bool blank = kBlanks.find(text[i]) != kBlanks.npos;
        const std::size_t word = after_blanks(i + 1);
        std::size_t end = blank ? word : i + 1;  // of what is written as it is
        char sign = 0;
        for (const auto& [name, meant] : kSigns) {
            const std::size_t word_end = word + name.size(), next = after_blanks(word_end);
            if (lower.compare(word, name.size(), name) != 0 || next >= text.size()) continue;
            const bool between = blank && bare && next > word_end;
            const bool enclosed = kOpening.find(text[i]) != kOpening.npos && kClosing.find(text[next]) != kClosing.npos;
            if (!between && !enclosed) continue;
            sign = meant;
            end = between ? next : next + 1;
        }
        if (sign != 0)
            result += sign;
        else
            result += text.substr(i, end - i);
        i = end;
    }
    return result;
}

// has_domain says whether what follows the "@" looks like a domain: "Jane @ Work" shows no address.
bool has_domain(std::string_view address) {
    const std::string_view domain = address.substr(address.rfind('@') + 1);
    const auto letter = [](unsigned char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80; };
    const std::size_t dot = domain.rfind('.');
    if (dot == domain.npos || domain.front() == '.' || domain.find("..") != domain.npos) return false;
    const std::string_view top = domain.substr(dot + 1);
    return top.size() > 1 && (std::all_of(top.begin(), top.end(), letter) || top.starts_with("xn--"));
}

// is_of says whether what is shown is one of the mailboxes, or the domain of one: a comment or a quote may stand before
// it.
bool is_of(const std::vector<std::string>& mailboxes, const std::string& shown) {
    if (!shown.starts_with('@')) return among(mailboxes, shown);
    return std::any_of(mailboxes.begin(), mailboxes.end(), [&](const std::string& mailbox) {
        return same_mailbox("x" + shown, "x" + mailbox.substr(mailbox.rfind('@')));
    });
}

// is_at_home_of says whether the domain of what is shown is that of one of the mailboxes, or one that it belongs to.
bool is_at_home_of(const std::vector<std::string>& mailboxes, const std::string& shown) {
    const std::string domain = mime::ascii_domain(shown.substr(shown.rfind('@') + 1));
    return std::any_of(mailboxes.begin(), mailboxes.end(), [&](const std::string& mailbox) {
        const std::string own = mime::ascii_domain(mailbox.substr(mailbox.rfind('@') + 1));
        return own == domain || own.ends_with('.' + domain);
    });
}

// seen_in is what a reader sees of a field. The ideographic full stop is a dot in domains (UTS #46).
std::string seen_in(const std::string& field_value) {
    constexpr std::string_view kFullStop = "\xe3\x80\x82";  // U+3002
    std::string text = mime::plain_letters(mime::decode_words(field_value));
    std::erase(text, '\\');  // of quoted pairs
    for (std::size_t stop = text.find(kFullStop); stop != text.npos; stop = text.find(kFullStop, stop))
        text.replace(stop, kFullStop.size(), ".");
    return text;
}

// foreign_address is what a reader would take for an address in a field, and is none of the mailboxes; "" for nothing.
// Written with gaps or in words, what follows the "@" must look like a domain, and in words without brackets be no name
// of the sender's own house: "Help at Example.com".
std::string foreign_address(const std::string& field_value, const std::vector<std::string>& mailboxes) {
    const std::string text = seen_in(field_value);
    for (const std::string& shown : addresses_in(text))
        if (!is_of(mailboxes, shown)) return shown;
    for (const std::string& shown : addresses_in(without_gaps(spelled_out(text, false))))
        if (has_domain(shown) && !is_of(mailboxes, shown)) return shown;
    for (const std::string& shown : addresses_in(spelled_out(text, true)))
        if (has_domain(shown) && !is_of(mailboxes, shown) && !is_at_home_of(mailboxes, shown)) return shown;
    return {};
}

std::string in_letters(std::string_view mailbox) {
    const std::size_t at = mailbox.rfind('@');
    if (at == mailbox.npos) return std::string(mailbox);
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

class Viewer {
  public:
    Viewer(const std::vector<mime::Field>& fields, const KnownAddresses& known) : known_(known) {
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
        for (const std::string& value : from_)
            look_at(value);
        if (mailboxes_.size() > 1)
            warn("several-senders",
                 fmt::format("the mail names {} senders: {}", mailboxes_.size(), fmt::join(mailboxes_, ", ")));
        compare(sender_, "sender-field", "the Sender field names {}, who is not in the From field");
        compare(reply_to_, "reply-to", "answers go to {}, not to the sender");
        for (const std::string& mailbox : mailboxes_)
            look_for_twins(mailbox);
        return std::move(view_);
    }

  private:
    void look_at(const std::string& value) {
        if (const auto entries = mime::unreadable_addresses(value); !entries.empty())
            view_.doubts.push_back({fmt::format("the From field has an entry that is no address: '{}'", entries[0])});
        const std::string shown = foreign_address(value, mailboxes_);
        if (shown.empty()) return;
        view_.doubts.push_back({fmt::format("the From field shows {}, but the sender is {}", shown,
                                            mailboxes_.empty() ? "nobody" : mailboxes_.front()),
                                "rely on the address in the certificate alone"});
    }

    void compare(const std::vector<std::string>& values, const char* kind, const char* words) {
        for (const std::string& value : values)
            for (const mime::Address& address : mime::parse_addresses(value))
                if (!among(mailboxes_, address.mailbox))
                    return warn(kind, fmt::format(fmt::runtime(words), address.mailbox));
    }

    void look_for_twins(const std::string& mailbox) {
        const std::string letters = in_letters(mailbox);
        if (mixes_scripts(letters))
            warn("mixed-scripts", fmt::format("the sender's address {} has letters of different scripts", letters));
        if (!known_) return;
        if (!addresses_) addresses_ = known_();
        if (addresses_->empty() || among(*addresses_, mailbox)) return;
        const std::string skeleton = mime::skeleton(letters);
        for (const std::string& known : *addresses_)
            if (mime::skeleton(in_letters(known)) == skeleton)
                return view_.doubts.push_back(
                    {fmt::format("the sender's address {} looks like {}, whom you know, and is another", mailbox,
                                 known),
                     fmt::format("ask {} another way whether it is theirs", known)});
    }

    void warn(const char* kind, std::string message) {
        Warning warning{kind, std::move(message)};
        if (std::find(view_.warnings.begin(), view_.warnings.end(), warning) == view_.warnings.end())
            view_.warnings.push_back(std::move(warning));
    }

    const KnownAddresses& known_;
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
        if (!among(sender.mailboxes, address.mailbox)) sender.mailboxes.push_back(std::move(address.mailbox));
}

SenderState judge_sender(const Certificate& certificate, const Sender& sender) {
    if (sender.check == SenderCheck::off) return SenderState::not_checked;
    if (!sender.contradiction.empty()) return SenderState::mismatch;
    if (certificate.emails().empty() || sender.mailboxes.empty()) return SenderState::absent;
    const bool all = std::all_of(sender.mailboxes.begin(), sender.mailboxes.end(),
                                 [&](const std::string& from) { return certificate.has_email(from); });
    return all ? SenderState::match : SenderState::mismatch;
}

SenderView view_sender(const std::vector<mime::Field>& fields, const KnownAddresses& known) {
    return Viewer(fields, known).run();
}

}  // namespace p11mime::cms::smime
