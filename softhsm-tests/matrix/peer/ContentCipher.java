import java.security.GeneralSecurityException;
import java.security.spec.AlgorithmParameterSpec;
import java.util.List;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.cms.GCMParameters;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;

/** ContentCipher is a content cipher as the JDK has it; a tag follows the ciphertext. */
record ContentCipher(String name, ASN1ObjectIdentifier oid, int keySize, String transformation) {
    private static final String CBC = "AES/CBC/PKCS5Padding";
    private static final String GCM = "AES/GCM/NoPadding";
    private static final List<ContentCipher> ALL = List.of(
            new ContentCipher("aes-128-cbc", NISTObjectIdentifiers.id_aes128_CBC, 16, CBC),
            new ContentCipher("aes-192-cbc", NISTObjectIdentifiers.id_aes192_CBC, 24, CBC),
            new ContentCipher("aes-256-cbc", NISTObjectIdentifiers.id_aes256_CBC, 32, CBC),
            new ContentCipher("aes-128-gcm", NISTObjectIdentifiers.id_aes128_GCM, 16, GCM),
            new ContentCipher("aes-192-gcm", NISTObjectIdentifiers.id_aes192_GCM, 24, GCM),
            new ContentCipher("aes-256-gcm", NISTObjectIdentifiers.id_aes256_GCM, 32, GCM),
            new ContentCipher("chacha20-poly1305", Envelopes.CHACHA20_POLY1305, 32, "ChaCha20-Poly1305"));

    static ContentCipher named(String name) {
        return ALL.stream().filter(each -> each.name.equals(name)).findFirst().orElseThrow();
    }

    static ContentCipher of(ASN1ObjectIdentifier oid) {
        return ALL.stream().filter(each -> each.oid.equals(oid)).findFirst().orElseThrow();
    }

    boolean authenticated() {
        return !transformation.equals(CBC);
    }

    int nonceSize() {
        return authenticated() ? 12 : 16;
    }

    /** Parameters are GCMParameters for GCM (RFC 5084), else an OCTET STRING (RFC 3565, RFC 8103). */
    ASN1Encodable parameters(byte[] nonce) {
        return transformation.equals(GCM) ? new GCMParameters(nonce, 16) : new DEROctetString(nonce);
    }

    byte[] nonce(ASN1Encodable parameters) {
        if (!transformation.equals(GCM)) return ASN1OctetString.getInstance(parameters).getOctets();
        GCMParameters gcm = GCMParameters.getInstance(parameters);
        if (gcm.getIcvLen() != 16) throw new IllegalStateException("a tag of " + gcm.getIcvLen() + " bytes");
        return gcm.getNonce();
    }

    byte[] seal(byte[] key, byte[] nonce, byte[] plain) throws GeneralSecurityException {
        return cipher(Cipher.ENCRYPT_MODE, key, nonce).doFinal(plain);
    }

    byte[] open(byte[] key, byte[] nonce, byte[] sealed) throws GeneralSecurityException {
        if (key.length != keySize) throw new IllegalStateException("a content key of " + key.length + " bytes");
        return cipher(Cipher.DECRYPT_MODE, key, nonce).doFinal(sealed);
    }

    private Cipher cipher(int mode, byte[] key, byte[] nonce) throws GeneralSecurityException {
        AlgorithmParameterSpec parameters =
                transformation.equals(GCM) ? new GCMParameterSpec(128, nonce) : new IvParameterSpec(nonce);
        Cipher cipher = Cipher.getInstance(transformation);
        cipher.init(mode, new SecretKeySpec(key, authenticated() && !transformation.equals(GCM) ? "ChaCha20" : "AES"),
                parameters);
        return cipher;
    }
}
