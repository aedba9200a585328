#include "cms/ess.h"

#include <openssl/cms.h>
#include <openssl/err.h>

#include <algorithm>

#include "cms/algorithms.h"
#include "cms/asn1.h"
#include "cms/identifiers.h"
#include "mime/error.h"

namespace p11mime::cms {

namespace {

void free_values(ASN1_SEQUENCE_ANY* values) {
    sk_ASN1_TYPE_pop_free(values, ASN1_TYPE_free);
}
using Values = Handle<ASN1_SEQUENCE_ANY, free_values>;
using RequestHandle = Handle<CMS_ReceiptRequest, CMS_ReceiptRequest_free>;
using IssuerAndSerial = Handle<PKCS7_ISSUER_AND_SERIAL, PKCS7_ISSUER_AND_SERIAL_free>;

Bytes required(const ASN1_TYPE* value, int type) {
    auto der = der_of(value, type);
    if (!der) throw Error(ErrorKind::malformed, "value of another type");
    return std::move(*der);
}

// Cursor walks over the elements of a SEQUENCE, or of a SET in whatever order.
class Cursor {
  public:
    static Cursor sequence(const ASN1_TYPE* value) {
        return Cursor(asn1::decode<Values>(required(value, V_ASN1_SEQUENCE), d2i_ASN1_SEQUENCE_ANY, "malformed"));
    }
    static Cursor set(const ASN1_TYPE* value) {
        return Cursor(asn1::decode<Values>(required(value, V_ASN1_SET), d2i_ASN1_SET_ANY, "malformed"));
    }

    int size() const { return sk_ASN1_TYPE_num(values_.get()); }
    const ASN1_TYPE* at(int index) const { return sk_ASN1_TYPE_value(values_.get(), index); }

    // take gives the next element where it is of this type, else null.
    const ASN1_TYPE* take(int type) {
        if (next_ >= size() || at(next_)->type != type) return nullptr;
        return at(next_++);
    }
    const ASN1_TYPE* need(int type) {
        const ASN1_TYPE* value = take(type);
        if (value == nullptr) throw Error(ErrorKind::malformed, "element missing");
        return value;
    }
    // tag is the identifier octet of the next element, which has a context-specific tag; 0 where it has none.
    Byte tag() const {
        if (next_ >= size() || at(next_)->type != V_ASN1_OTHER) return 0;
        const ByteView der = asn1::octets(at(next_)->value.asn1_string);
        return der.empty() ? Byte{0} : der.front();
    }

  private:
    explicit Cursor(Values values) : values_(std::move(values)) {}

    Values values_;
    int next_ = 0;
};

std::string text(const ASN1_TYPE* value) {
    return std::string(text_of(asn1::octets(value->value.asn1_string)));
}

Bytes bytes(const ASN1_TYPE* value) {
    return to_bytes(asn1::octets(value->value.octet_string));
}

std::string general_name(GENERAL_NAME* name) {
    if (name->type == GEN_EMAIL) return std::string(text_of(asn1::octets(name->d.rfc822Name)));
    if (name->type == GEN_DIRNAME) return name_text(name->d.directoryName);
    const BioHandle bio(BIO_new(BIO_s_mem()));
    GENERAL_NAME_print(bio.get(), name);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::vector<std::string> general_names(const STACK_OF(GENERAL_NAMES) * list) {
    std::vector<std::string> all;
    for (int i = 0; i < sk_GENERAL_NAMES_num(list); ++i) {
        const GENERAL_NAMES* names = sk_GENERAL_NAMES_value(list, i);
        for (int j = 0; j < sk_GENERAL_NAME_num(names) && all.size() < kMaxEssEntries; ++j)
            all.push_back(general_name(sk_GENERAL_NAME_value(names, j)));
    }
    return all;
}

ReceiptRequest receipt_request(const ASN1_TYPE* value) {
    const auto parsed = asn1::decode<RequestHandle>(required(value, V_ASN1_SEQUENCE), d2i_CMS_ReceiptRequest,
                                                    "malformed receipt request");
    ASN1_STRING* identifier = nullptr;
    int all_or_first = -1;
    STACK_OF(GENERAL_NAMES)* from = nullptr;
    STACK_OF(GENERAL_NAMES)* to = nullptr;
    CMS_ReceiptRequest_get0_values(parsed.get(), &identifier, &all_or_first, &from, &to);
    ReceiptRequest request;
    request.content_identifier = to_bytes(asn1::octets(identifier));
    request.from = from != nullptr     ? ReceiptRequest::From::listed
                   : all_or_first == 1 ? ReceiptRequest::From::first_tier
                                       : ReceiptRequest::From::all;
    if (from != nullptr) request.from_list = general_names(from);
    if (to != nullptr) request.to = general_names(to);
    return request;
}

// category_type is the [0] of SecurityCategory, which is IMPLICIT in RFC 2634 and EXPLICIT as some write it.
std::string category_type(const ASN1_TYPE* value) {
    const Cursor category = Cursor::sequence(value);
    if (category.size() < 1 || category.at(0)->type != V_ASN1_OTHER)
        throw Error(ErrorKind::malformed, "malformed security category");
    Bytes der = to_bytes(asn1::octets(category.at(0)->value.asn1_string));
    if (der.front() == tag::context(0, false)) der.front() = tag::kOid;
    if (der.front() == tag::context(0, true)) der.erase(der.begin(), der.begin() + 2);
    const auto object = asn1::decode<ObjectHandle>(
        der, [](ASN1_OBJECT** to, const Byte** at, long size) { return d2i_ASN1_OBJECT(to, at, size); },
        "malformed security category");
    return oid_text(object.get());
}

SecurityLabel security_label(const ASN1_TYPE* value) {
    const Cursor elements = Cursor::set(value);
    SecurityLabel label;
    for (int i = 0; i < elements.size(); ++i) {
        const ASN1_TYPE* each = elements.at(i);
        switch (each->type) {
            case V_ASN1_OBJECT:
                label.policy = oid_text(each->value.object);
                break;
            case V_ASN1_INTEGER:
                label.classification = ASN1_INTEGER_get(each->value.integer);
                break;
            case V_ASN1_PRINTABLESTRING:
            case V_ASN1_UTF8STRING:
                label.privacy_mark = text(each);
                break;
            case V_ASN1_SET: {
                const Cursor categories = Cursor::set(each);
                for (int j = 0; j < categories.size() && label.categories.size() < kMaxEssEntries; ++j)
                    label.categories.push_back(category_type(categories.at(j)));
                break;
            }
            default:
                throw Error(ErrorKind::malformed, "malformed security label");
        }
    }
    if (label.policy.empty()) throw Error(ErrorKind::malformed, "security label without a policy");
    return label;
}

std::vector<SecurityLabel> equivalent_labels(const ASN1_TYPE* value) {
    const Cursor elements = Cursor::sequence(value);
    std::vector<SecurityLabel> labels;
    for (int i = 0; i < elements.size() && labels.size() < kMaxEssEntries; ++i)
        labels.push_back(security_label(elements.at(i)));
    return labels;
}

ContentHints content_hints(const ASN1_TYPE* value) {
    Cursor elements = Cursor::sequence(value);
    ContentHints hints;
    if (const ASN1_TYPE* description = elements.take(V_ASN1_UTF8STRING)) hints.description = text(description);
    hints.type = oid_text(elements.need(V_ASN1_OBJECT)->value.object);
    return hints;
}

Bytes content_identifier(const ASN1_TYPE* value) {
    static_cast<void>(required(value, V_ASN1_OCTET_STRING));
    return bytes(value);
}

ContentReference content_reference(const ASN1_TYPE* value) {
    Cursor elements = Cursor::sequence(value);
    ContentReference reference;
    reference.type = oid_text(elements.need(V_ASN1_OBJECT)->value.object);
    reference.content_identifier = bytes(elements.need(V_ASN1_OCTET_STRING));
    return reference;
}

std::string list_identifier(Cursor& data) {
    if (const ASN1_TYPE* key = data.take(V_ASN1_OCTET_STRING))
        return RecipientIdentifier{.issuer_der = {}, .serial_der = {}, .key_identifier = bytes(key)}.text();
    const auto name = asn1::decode<IssuerAndSerial>(required(data.need(V_ASN1_SEQUENCE), V_ASN1_SEQUENCE),
                                                    d2i_PKCS7_ISSUER_AND_SERIAL, "malformed mail list identifier");
    return asn1::identifier(*name).text();
}

MailListExpansion mail_list_expansion(const ASN1_TYPE* value) {
    using Receipts = MailListExpansion::Receipts;
    Cursor data = Cursor::sequence(value);
    MailListExpansion expansion;
    expansion.list = list_identifier(data);
    expansion.time = to_time(data.need(V_ASN1_GENERALIZEDTIME)->value.asn1_string);
    switch (data.tag()) {
        case tag::context(0, false):
            expansion.receipts = Receipts::none;
            break;
        case tag::context(1, true):
            expansion.receipts = Receipts::instead;
            break;
        case tag::context(2, true):
            expansion.receipts = Receipts::in_addition;
            break;
        default:
            break;
    }
    return expansion;
}

std::vector<MailListExpansion> mail_list_expansions(const ASN1_TYPE* value) {
    const Cursor elements = Cursor::sequence(value);
    std::vector<MailListExpansion> expansions;
    for (int i = 0; i < elements.size() && expansions.size() < kMaxEssEntries; ++i)
        expansions.push_back(mail_list_expansion(elements.at(i)));
    return expansions;
}

}  // namespace

Ess read_ess(const Attributes& attributes) {
    Ess ess;
    const auto read = [&](std::string_view oid, auto& to, auto parse, const char* what) {
        const auto values = attributes.values(oid);
        if (values.empty()) return;
        try {
            if (values.size() > 1) throw Error(ErrorKind::malformed, "several values");
            to = parse(values.front());
        } catch (const Error&) {
            ess.malformed.emplace_back(what);
        }
        ERR_clear_error();
    };
    read(oid::kReceiptRequest, ess.receipt_request, receipt_request, "receipt request");
    read(oid::kSecurityLabel, ess.security_label, security_label, "security label");
    read(oid::kEquivalentLabels, ess.equivalent_labels, equivalent_labels, "equivalent labels");
    read(oid::kContentHints, ess.content_hints, content_hints, "content hints");
    read(oid::kContentIdentifier, ess.content_identifier, content_identifier, "content identifier");
    read(oid::kContentReference, ess.content_reference, content_reference, "content reference");
    read(oid::kMlExpansionHistory, ess.mail_list_expansions, mail_list_expansions, "mail list expansion history");
    return ess;
}

std::string classification_text(long classification) {
    constexpr const char* kNames[] = {"unmarked", "unclassified", "restricted", "confidential", "secret", "top secret"};
    if (classification >= 0 && classification < static_cast<long>(std::size(kNames))) return kNames[classification];
    return "classification " + std::to_string(classification);
}

}  // namespace p11mime::cms
