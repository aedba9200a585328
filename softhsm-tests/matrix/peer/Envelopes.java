import java.util.Map;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.cms.CMSObjectIdentifiers;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.cms.CMSAlgorithm;
import org.bouncycastle.cms.CMSAuthEnvelopedData;
import org.bouncycastle.cms.CMSAuthEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSEnvelopedData;
import org.bouncycastle.cms.CMSEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.PasswordRecipient;
import org.bouncycastle.cms.Recipient;
import org.bouncycastle.cms.RecipientInformation;
import org.bouncycastle.cms.RecipientInformationStore;
import org.bouncycastle.cms.jcajce.JceCMSContentEncryptorBuilder;
import org.bouncycastle.cms.jcajce.JceKEKEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyAgreeEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyAgreeRecipientId;
import org.bouncycastle.cms.jcajce.JceKeyTransAuthEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JcePasswordEnvelopedRecipient;
import org.bouncycastle.operator.OutputAEADEncryptor;
import org.bouncycastle.operator.OutputEncryptor;

/** Envelopes are EnvelopedData and AuthEnvelopedData by Bouncy Castle. */
final class Envelopes {
    static final ASN1ObjectIdentifier CHACHA20_POLY1305 = new ASN1ObjectIdentifier("1.2.840.113549.1.9.16.3.18");

    private record Cipher(ASN1ObjectIdentifier oid, int bits, boolean authenticated) {}

    private static final Map<String, Cipher> CIPHERS = Map.of(
            "aes-128-cbc", new Cipher(CMSAlgorithm.AES128_CBC, 128, false),
            "aes-192-cbc", new Cipher(CMSAlgorithm.AES192_CBC, 192, false),
            "aes-256-cbc", new Cipher(CMSAlgorithm.AES256_CBC, 256, false),
            "aes-128-gcm", new Cipher(CMSAlgorithm.AES128_GCM, 128, true),
            "aes-192-gcm", new Cipher(CMSAlgorithm.AES192_GCM, 192, true),
            "aes-256-gcm", new Cipher(CMSAlgorithm.AES256_GCM, 256, true),
            "chacha20-poly1305", new Cipher(CHACHA20_POLY1305, 256, true),
            "des-ede3-cbc", new Cipher(CMSAlgorithm.DES_EDE3_CBC, 168, false),
            "rc2-128-cbc", new Cipher(CMSAlgorithm.RC2_CBC, 128, false),
            "rc2-40-cbc", new Cipher(CMSAlgorithm.RC2_CBC, 40, false));

    private Envelopes() {}

    static byte[] encrypt(Job job) throws Exception {
        Cipher cipher = CIPHERS.get(job.text("cipher"));
        CMSProcessableByteArray content = new CMSProcessableByteArray(job.file("content"));
        OutputEncryptor encryptor =
                new JceCMSContentEncryptorBuilder(cipher.oid(), cipher.bits()).setProvider("BC").build();
        if (cipher.authenticated()) {
            CMSAuthEnvelopedDataGenerator generator = new CMSAuthEnvelopedDataGenerator();
            generator.addRecipientInfoGenerator(Management.generator(job));
            return generator.generate(content, (OutputAEADEncryptor) encryptor).toASN1Structure().getEncoded("DER");
        }
        CMSEnvelopedDataGenerator generator = new CMSEnvelopedDataGenerator();
        generator.addRecipientInfoGenerator(Management.generator(job));
        return generator.generate(content, encryptor).toASN1Structure().getEncoded("DER");
    }

    static byte[] decrypt(Job job) throws Exception {
        ContentInfo structure = ContentInfo.getInstance(job.file("in"));
        boolean authenticated = structure.getContentType().equals(CMSObjectIdentifiers.authEnvelopedData);
        RecipientInformationStore recipients = authenticated
                ? new CMSAuthEnvelopedData(structure).getRecipientInfos()
                : new CMSEnvelopedData(structure).getRecipientInfos();
        return ownOf(job, recipients).getContent(recipientOf(job, authenticated));
    }

    /** ownOf is the one that names the job's certificate where key agreement has several, else the only one. */
    private static RecipientInformation ownOf(Job job, RecipientInformationStore recipients) throws Exception {
        return job.text("management").equals("ecdh") ? recipients.get(new JceKeyAgreeRecipientId(job.certificate()))
                                                     : recipients.iterator().next();
    }

    private static Recipient recipientOf(Job job, boolean authenticated) throws Exception {
        return switch (job.text("management")) {
            case "rsa-pkcs1", "rsa-oaep" -> authenticated
                    ? new JceKeyTransAuthEnvelopedRecipient(Management.privateKey(job)).setProvider("BC")
                    : new JceKeyTransEnvelopedRecipient(Management.privateKey(job)).setProvider("BC");
            case "ecdh", "xdh" -> new JceKeyAgreeEnvelopedRecipient(Management.privateKey(job)).setProvider("BC");
            case "kek" -> new JceKEKEnvelopedRecipient(Management.secret(job)).setProvider("BC");
            case "password" -> new JcePasswordEnvelopedRecipient(job.text("secret").toCharArray())
                    .setProvider("BC")
                    .setPasswordConversionScheme(PasswordRecipient.PKCS5_SCHEME2_UTF8);
            default -> throw new IllegalArgumentException("what is " + job.text("management") + "?");
        };
    }
}
