import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.spec.MGF1ParameterSpec;
import java.util.Locale;
import java.util.Map;
import javax.crypto.SecretKey;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.cms.CMSAlgorithm;
import org.bouncycastle.cms.KeyTransRecipientInfoGenerator;
import org.bouncycastle.cms.PasswordRecipient;
import org.bouncycastle.cms.PasswordRecipientInfoGenerator;
import org.bouncycastle.cms.RecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.JceKEKRecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.JceKeyAgreeRecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.JceKeyTransRecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.JcePasswordRecipientInfoGenerator;
import org.bouncycastle.operator.jcajce.JcaAlgorithmParametersConverter;

/** Management is the key management of a job, for Bouncy Castle: how a content key goes to a recipient. */
final class Management {
    private static final Map<Integer, ASN1ObjectIdentifier> WRAPS =
            Map.of(16, CMSAlgorithm.AES128_WRAP, 24, CMSAlgorithm.AES192_WRAP, 32, CMSAlgorithm.AES256_WRAP);
    private static final Map<Integer, ASN1ObjectIdentifier> PASSWORD_CIPHERS =
            Map.of(16, CMSAlgorithm.AES128_CBC, 24, CMSAlgorithm.AES192_CBC, 32, CMSAlgorithm.AES256_CBC);
    private static final Map<String, ASN1ObjectIdentifier> STANDARD = Map.of(
            "sha1", CMSAlgorithm.ECDH_SHA1KDF, "sha224", CMSAlgorithm.ECDH_SHA224KDF, "sha256",
            CMSAlgorithm.ECDH_SHA256KDF, "sha384", CMSAlgorithm.ECDH_SHA384KDF, "sha512", CMSAlgorithm.ECDH_SHA512KDF);
    private static final Map<String, ASN1ObjectIdentifier> COFACTOR = Map.of(
            "sha1", CMSAlgorithm.ECCDH_SHA1KDF, "sha224", CMSAlgorithm.ECCDH_SHA224KDF, "sha256",
            CMSAlgorithm.ECCDH_SHA256KDF, "sha384", CMSAlgorithm.ECCDH_SHA384KDF, "sha512",
            CMSAlgorithm.ECCDH_SHA512KDF);
    /** dhSinglePass-stdDH-hkdf-sha256-scheme and its siblings (RFC 8418 section 2.3). */
    static final Map<String, ASN1ObjectIdentifier> HKDF = Map.of(
            "sha256", new ASN1ObjectIdentifier("1.2.840.113549.1.9.16.3.19"), "sha384",
            new ASN1ObjectIdentifier("1.2.840.113549.1.9.16.3.20"), "sha512",
            new ASN1ObjectIdentifier("1.2.840.113549.1.9.16.3.21"));

    private Management() {}

    static ASN1ObjectIdentifier wrap(Job job) {
        return WRAPS.get(job.number("wrap"));
    }

    static RecipientInfoGenerator generator(Job job) throws Exception {
        return switch (job.text("management")) {
            case "rsa-pkcs1" -> transport(job, new AlgorithmIdentifier(PKCSObjectIdentifiers.rsaEncryption));
            case "rsa-oaep" -> transport(job, oaep(job));
            case "ecdh", "xdh" -> agreement(job);
            case "kek" -> new JceKEKRecipientInfoGenerator(job.hex("id"), secret(job)).setProvider("BC");
            case "password" -> password(job);
            default -> throw new IllegalArgumentException("what is " + job.text("management") + "?");
        };
    }

    static SecretKey secret(Job job) {
        return new SecretKeySpec(job.hex("secret"), "AES");
    }

    static PrivateKey privateKey(Job job) throws Exception {
        return job.privateKey(job.certificate().getPublicKey().getAlgorithm(), "BC");
    }

    private static KeyTransRecipientInfoGenerator transport(Job job, AlgorithmIdentifier algorithm) throws Exception {
        return new JceKeyTransRecipientInfoGenerator(job.certificate(), algorithm).setProvider("BC");
    }

    private static AlgorithmIdentifier oaep(Job job) throws GeneralSecurityException {
        byte[] label = job.hex("label");
        OAEPParameterSpec parameters = new OAEPParameterSpec(digest(job.text("hash")), "MGF1",
                new MGF1ParameterSpec(digest(job.text("mgf"))),
                label.length == 0 ? PSource.PSpecified.DEFAULT : new PSource.PSpecified(label));
        return new JcaAlgorithmParametersConverter().getAlgorithmIdentifier(
                PKCSObjectIdentifiers.id_RSAES_OAEP, parameters);
    }

    private static RecipientInfoGenerator agreement(Job job) throws Exception {
        X509Certificate certificate = job.certificate();
        boolean ec = certificate.getPublicKey() instanceof ECPublicKey;
        ASN1ObjectIdentifier scheme = (!ec ? HKDF : job.has("cofactor") ? COFACTOR : STANDARD).get(job.text("hash"));
        KeyPair own = ephemeral(certificate);
        JceKeyAgreeRecipientInfoGenerator generator =
                new JceKeyAgreeRecipientInfoGenerator(scheme, own.getPrivate(), own.getPublic(), wrap(job));
        if (job.has("first")) generator.addRecipient(job.certificate("first"));
        return generator.addRecipient(certificate).setProvider("BC");
    }

    private static KeyPair ephemeral(X509Certificate like) throws GeneralSecurityException {
        if (!(like.getPublicKey() instanceof ECPublicKey key))
            return KeyPairGenerator.getInstance(like.getPublicKey().getAlgorithm(), "BC").generateKeyPair();
        KeyPairGenerator generator = KeyPairGenerator.getInstance("ECDH", "BC");
        generator.initialize(key.getParams());
        return generator.generateKeyPair();
    }

    private static PasswordRecipientInfoGenerator password(Job job) {
        return new JcePasswordRecipientInfoGenerator(
                PASSWORD_CIPHERS.get(job.number("wrap")), job.text("secret").toCharArray())
                .setProvider("BC")
                .setPasswordConversionScheme(PasswordRecipient.PKCS5_SCHEME2_UTF8)
                .setPRF(job.text("hash").equals("sha1") ? PasswordRecipient.PRF.HMacSHA1
                                                        : PasswordRecipient.PRF.HMacSHA256)
                .setSaltAndIterationCount(new byte[] {1, 2, 3, 4, 5, 6, 7, 8}, 1000);
    }

    /** digest is Bouncy Castle's name of a hash: "sha256" is "SHA-256", "sha512-256" is "SHA-512-256". */
    static String digest(String name) {
        return name.startsWith("sha3-") ? name.toUpperCase(Locale.ROOT) : "SHA-" + name.substring(3);
    }
}
