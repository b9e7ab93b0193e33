// Swagger UI, with the key that the page at / has stored in this browser, light or dark as the page.

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const followScheme = () => document.documentElement.classList.toggle("dark-mode", prefersDark.matches);
prefersDark.addEventListener("change", followScheme);
followScheme();

const key = localStorage.getItem("kinora.api-key");
const reference = window.SwaggerUIBundle({
  url: "/openapi.json",
  domNode: document.getElementById("reference"),
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  // It would ask another host.
  validatorUrl: null,
  onComplete: () => key && reference.preauthorizeApiKey("key", key),
});
