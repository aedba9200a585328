#include "token/attributes.h"

#include <cstring>

namespace p11mime::token {

Template& Template::add(CK_ATTRIBUTE_TYPE type, ByteView value) {
    values_.emplace_back(type, to_bytes(value));
    return *this;
}

Template& Template::add(CK_ATTRIBUTE_TYPE type, CK_ULONG number) {
    return add(type, ByteView(reinterpret_cast<const Byte*>(&number), sizeof number));
}

Template& Template::add_bool(CK_ATTRIBUTE_TYPE type, bool value) {
    const CK_BBOOL flag = value ? CK_TRUE : CK_FALSE;
    return add(type, ByteView(&flag, sizeof flag));
}

Template& Template::add_secret(CK_ATTRIBUTE_TYPE type, SecretBytes value) {
    secrets_.emplace_back(type, std::make_shared<const SecretBytes>(std::move(value)));
    return *this;
}

std::vector<CK_ATTRIBUTE> Template::list() const {
    std::vector<CK_ATTRIBUTE> list;
    list.reserve(values_.size() + secrets_.size());
    for (const auto& [type, value] : values_)
        list.push_back({type, const_cast<Byte*>(value.data()), value.size()});  // Cryptoki takes input as non-const
    for (const auto& [type, value] : secrets_)
        list.push_back({type, const_cast<Byte*>(value->data()), value->size()});
    return list;
}

Template objects_of_class(CK_OBJECT_CLASS object_class) {
    Template search;
    search.add(CKA_CLASS, object_class);
    return search;
}

const Bytes* Attributes::find(CK_ATTRIBUTE_TYPE type) const {
    const auto found = values_.find(type);
    return found == values_.end() ? nullptr : &found->second;
}

Bytes Attributes::bytes(CK_ATTRIBUTE_TYPE type) const {
    const Bytes* value = find(type);
    return value != nullptr ? *value : Bytes{};
}

std::string Attributes::text(CK_ATTRIBUTE_TYPE type) const {
    const Bytes* value = find(type);
    return value != nullptr ? std::string(text_of(*value)) : std::string{};
}

std::optional<bool> Attributes::boolean(CK_ATTRIBUTE_TYPE type) const {
    const Bytes* value = find(type);
    if (value == nullptr || value->size() != sizeof(CK_BBOOL)) return std::nullopt;
    return value->front() != CK_FALSE;
}

std::optional<CK_ULONG> Attributes::number(CK_ATTRIBUTE_TYPE type) const {
    const Bytes* value = find(type);
    if (value == nullptr || value->size() != sizeof(CK_ULONG)) return std::nullopt;
    CK_ULONG number = 0;
    std::memcpy(&number, value->data(), sizeof number);
    return number;
}

}  // namespace p11mime::token
